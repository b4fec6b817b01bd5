"""Scores of label maps: pure functions of arrays, without torch.

>>> from harness.metrics import score
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.metrics.scoring import Score, score

__all__ = ["Score", "score"]


def __getattr__(name: str) -> Any:
    # Definitions are read where numpy must not be imported; scoring needs it.
    if name in __all__:
        from harness.metrics import scoring

        return getattr(scoring, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
