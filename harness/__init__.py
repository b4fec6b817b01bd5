"""Harness: a plugin-based benchmark for segmenting LV, RV and myocardium in short-axis cardiac MR.

What a plugin author needs is here and costs no import of torch, numpy or pandas:

>>> from harness import Model, hookimpl
"""

import pluggy

from harness._version import __version__
from harness.data.case import Case, Volume
from harness.plugins.records import Dataset, Executor, Loss, Model, Task

hookimpl = pluggy.HookimplMarker("harness")
"""Marks a function of a plugin module as the implementation of the hook of that name."""

__all__ = ["Case", "Dataset", "Executor", "Loss", "Model", "Task", "Volume", "__version__", "hookimpl"]
