"""Who is to blame for a failed run, and what to tell."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from harness.errors import HarnessError, ResourceError
from harness.store.record import Status

_OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")


def classify(error: BaseException, spec: Mapping[str, Any], phase: str) -> tuple[Status, dict[str, Any]]:
    """The status of a run that ended with `error`, and its ``failure {phase, blame, message}``."""
    if _is_out_of_memory(error):
        message = (
            f"out of memory while in '{phase}'. Lower protocol.batch, or use a machine with more memory."
        )
        return "out-of-memory", {"phase": phase, "blame": "resource", "message": message}
    if isinstance(error, HarnessError):
        return "failed", {"phase": phase, "blame": error.blame, "message": str(error)}
    line = " ".join(f"{type(error).__name__}: {error}".split())
    place = _plugin_frame(error, spec)
    if place is not None:
        return "failed", {"phase": phase, "blame": "plugin", "message": f"{place}: {line}"}
    return "failed", {"phase": phase, "blame": "harness", "message": line}


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return (
        isinstance(error, RuntimeError)
        and not isinstance(error, ResourceError)
        and any(words in str(error).lower() for words in _OUT_OF_MEMORY)
    )


def _plugin_frame(error: BaseException, spec: Mapping[str, Any]) -> str | None:
    """``plugin (file.py:12)`` for the innermost frame in code of the run's plugins."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        for kind in ("model", "loss", "dataset"):
            source = _source(spec[kind]["target"])
            if source is not None and Path(frame.filename).resolve() == source:
                return f"{kind} {spec[kind]['name']} ({source.name}:{frame.lineno})"
    return None


def _source(target: str) -> Path | None:
    module = sys.modules.get(target.partition(":")[0])
    file = getattr(module, "__file__", None)
    return Path(file).resolve() if file else None
