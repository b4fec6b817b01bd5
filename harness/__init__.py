"""Harness: a plugin-based benchmark for segmenting LV, RV and myocardium in short-axis cardiac MR.

Plugin authors import from here, without importing torch, numpy or pandas:

>>> from harness import Model, hookimpl

The Python API is here too, and imported when it is first used:

>>> from harness import Session, score
"""

import importlib
from typing import TYPE_CHECKING

import pluggy

from harness._version import __version__
from harness.data.case import Case, Volume
from harness.plugins.records import Dataset, Executor, Loss, Model, Task

if TYPE_CHECKING:
    from harness.session.label_maps import score
    from harness.session.session import Session

hookimpl = pluggy.HookimplMarker("harness")
"""Marks a function of a plugin module as the implementation of the hook of that name."""

__all__ = [
    "Case",
    "Dataset",
    "Executor",
    "Loss",
    "Model",
    "Session",
    "Task",
    "Volume",
    "__version__",
    "hookimpl",
    "score",
]

_LAZY = {"Session": "harness.session.session", "score": "harness.session.label_maps"}
"""The Python API: names that are imported at first use."""

if not TYPE_CHECKING:  # With a module-level __getattr__, type checkers would accept any name.

    def __getattr__(name):
        if name in _LAZY:
            return getattr(importlib.import_module(_LAZY[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
