"""Who is to blame for a failed run, and what to tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from harness.errors import HarnessError
from harness.execute.timeout import TimedOut
from harness.plugins.blame import called, defined, innermost
from harness.store.record import Status

_OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "out of memory", "alloc_failed")
_NO_ROOM = ("unable to find an engine", "status_not_initialized")
"""What cuDNN and cuBLAS say of a card without room for a workspace or for themselves, and seldom of else."""


def classify(error: BaseException, spec: Mapping[str, Any], phase: str) -> tuple[Status, dict[str, Any]]:
    """The status of a run that ended with `error`, and its ``failure {phase, blame, message}``."""
    if _is_out_of_memory(error):
        message = (
            f"out of memory while in '{phase}'. Lower protocol.batch, or use a machine with more memory."
        )
        return "out-of-memory", {"phase": phase, "blame": "resource", "message": message}
    if _has(error, _NO_ROOM):
        line = " ".join(str(error).split())[:100]
        message = (
            f"a full GPU, most likely, while in '{phase}' ({line}). Lower protocol.batch, or run fewer "
            "at once. If it happens alone too, cuDNN and the driver don't fit."
        )
        return "out-of-memory", {"phase": phase, "blame": "resource", "message": message}
    if isinstance(error, TimedOut):
        return "timeout", {"phase": phase, "blame": "resource", "message": str(error)}
    place = _plugin(error, spec)
    if isinstance(error, HarnessError):
        message = f"{place}: {error}" if place is not None and error.where is None else str(error)
        return "failed", {"phase": phase, "blame": error.blame, "message": message}
    line = " ".join(f"{type(error).__name__}: {error}".split())
    if place is not None:
        return "failed", {"phase": phase, "blame": "plugin", "message": f"{place}: {line}"}
    return "failed", {"phase": phase, "blame": "harness", "message": line}


def _is_out_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return _has(error, _OUT_OF_MEMORY)


def _has(error: BaseException, words: tuple[str, ...]) -> bool:
    return isinstance(error, RuntimeError) and any(each in str(error).lower() for each in words)


def _plugin(error: BaseException, spec: Mapping[str, Any]) -> str | None:
    """``model unet (unet.py:12)``: the plugin being called, else one whose code `error` went through.

    The line is the innermost in the plugin's package. Where torch alone was at work (a layer that
    does not fit), it is the line that defines the plugin.
    """
    known = called(error)
    for kind in (known,) if known else KINDS:
        target = spec[kind]["target"]
        place = innermost(error, target)
        if place or known:
            place = place or defined(target)
            return f"{kind} {spec[kind]['name']}" + (f" ({place})" if place else "")
    return None


def package_at_fault(error: BaseException, spec: Mapping[str, Any]) -> str:
    """The package of the plugin that was called when `error` was raised, or went through; else empty."""
    known = called(error)
    for kind in (known,) if known else KINDS:
        target = spec[kind]["target"]
        if known or innermost(error, target):
            return str(target.partition(":")[0].partition(".")[0])
    return ""


KINDS = ("model", "loss", "dataset")
