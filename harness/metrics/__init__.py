"""Scores of label maps: overlap, surface distances, volumes. Pure functions of arrays, without torch.

>>> from harness.metrics import score
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.metrics.definitions import Metric, metric
    from harness.metrics.empty import EmptyPolicy
    from harness.metrics.scoring import Score, score

__all__ = ["EmptyPolicy", "Metric", "Score", "metric", "score"]

_HOME = {
    "EmptyPolicy": "empty",
    "Metric": "definitions",
    "metric": "definitions",
    "Score": "scoring",
    "score": "scoring",
}


def __getattr__(name: str) -> Any:
    # Lazy, because definitions and policies are used where NumPy must not be imported.
    if name in _HOME:
        return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
