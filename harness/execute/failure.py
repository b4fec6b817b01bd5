"""Why a run failed: blame and message, and the record of a worker that died before it wrote one."""

from __future__ import annotations

import signal

from harness.contract.record import Failure
from harness.contract.spec import KINDS, Kind, RunSpec
from harness.errors import Blame, HarnessError
from harness.execute.executor import Answer
from harness.execute.timeout import TimedOut
from harness.plugins.blame import called, defined, innermost
from harness.store.record import Record, Status
from harness.store.runs import RunFolder

_OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "out of memory", "alloc_failed")
_NO_ROOM = ("unable to find an engine", "status_not_initialized")
"""Messages of cuDNN and cuBLAS on a GPU without memory for a workspace; they seldom mean anything else."""


def classify(error: BaseException, spec: RunSpec, phase: str) -> tuple[Status, Failure]:
    """The status of a run that ended with `error`, and its failure."""
    if _is_out_of_memory(error):
        message = (
            f"out of memory while in '{phase}'. Lower protocol.batch, or use a machine with more memory."
        )
        return "out-of-memory", Failure(phase, "resource", message)
    if _has(error, _NO_ROOM):
        line = " ".join(str(error).split())[:100]
        message = (
            f"a full GPU, most likely, while in '{phase}' ({line}). Lower protocol.batch, or run fewer "
            "at once. If it happens alone too, cuDNN and the driver don't fit."
        )
        return "out-of-memory", Failure(phase, "resource", message)
    if isinstance(error, TimedOut):
        return "timeout", Failure(phase, "resource", str(error))
    place = _plugin(error, spec)
    if isinstance(error, HarnessError):
        message = f"{place}: {error}" if place is not None and error.where is None else str(error)
        return "failed", Failure(phase, error.blame, message)
    line = " ".join(f"{type(error).__name__}: {error}".split())
    if place is not None:
        return "failed", Failure(phase, "plugin", f"{place}: {line}")
    return "failed", Failure(phase, "harness", line)


def _is_out_of_memory(error: BaseException) -> bool:
    # Imported here, so that the scheduler does not import torch.
    import torch

    if isinstance(error, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return _has(error, _OUT_OF_MEMORY)


def _has(error: BaseException, words: tuple[str, ...]) -> bool:
    return isinstance(error, RuntimeError) and any(each in str(error).lower() for each in words)


def _plugin(error: BaseException, spec: RunSpec) -> str | None:
    """``model unet (unet.py:12)``: the plugin being called, else one whose code `error` went through.

    The line is the innermost in the plugin's package. If only torch's own code was running (a layer that
    does not fit), it is the line that defines the plugin.
    """
    known = called(error) is not None
    for kind in _suspects(error):
        target = spec.plugin(kind).target
        place = innermost(error, target)
        if place or known:
            place = place or defined(target)
            return f"{kind} {spec.plugin(kind).name}" + (f" ({place})" if place else "")
    return None


def package_at_fault(error: BaseException, spec: RunSpec) -> str:
    """The package of the plugin that was called when `error` was raised, or went through; else empty."""
    known = called(error) is not None
    for kind in _suspects(error):
        target = spec.plugin(kind).target
        if known or innermost(error, target):
            return str(target.partition(":")[0].partition(".")[0])
    return ""


def _suspects(error: BaseException) -> tuple[Kind, ...]:
    """The plugin that was called when `error` was raised; else all."""
    return tuple(kind for kind in KINDS if kind == called(error)) or KINDS


def died(spec: RunSpec, folder: RunFolder, answer: Answer) -> Record:
    """The record of a run whose worker ended without one."""
    detail = f". {answer.detail}" if answer.detail else ""
    if answer.code is not None and answer.code < 0:
        name = signal.Signals(-answer.code).name
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        message = f"the worker was killed by {name}{hint}{detail}"
        return ended(spec, folder, "interrupted", "resource", message)
    code = "without a record" if answer.code is None else f"with code {answer.code}"
    message = f"the worker ended {code}; see log.txt of the run{detail}"
    return ended(spec, folder, "failed", "harness", message)


def ended(spec: RunSpec, folder: RunFolder, status: Status, blame: Blame, message: str) -> Record:
    """Write the record of a failure, in the phase of the last heartbeat."""
    progress = folder.progress()
    failure = Failure(progress.get("phase", "start"), blame, message)
    record = Record(folder.id, spec.keys, spec, status, failure, int(progress.get("attempts", 1)))
    folder.finish(record)
    return record
