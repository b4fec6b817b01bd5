"""Ends that a worker could not record itself: it was killed, or never started."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from harness.execute.executor import Answer
from harness.store.record import Record, Status
from harness.store.runs import RunFolder


def died(spec: Mapping[str, Any], folder: RunFolder, answer: Answer) -> Record:
    """The record of a run whose worker ended without one."""
    detail = f". {answer.detail}" if answer.detail else ""
    if answer.code is not None and answer.code < 0:
        name = signal.Signals(-answer.code).name
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        message = f"the worker was ended by {name}{hint}{detail}"
        return ended(spec, folder, "interrupted", "resource", message)
    code = "without a record" if answer.code is None else f"with code {answer.code}"
    message = f"the worker ended {code}; see log.txt of the run{detail}"
    return ended(spec, folder, "failed", "harness", message)


def ended(spec: Mapping[str, Any], folder: RunFolder, status: Status, blame: str, message: str) -> Record:
    """Record an end, with the phase that the last heartbeat told."""
    progress = folder.progress()
    failure = {"phase": progress.get("phase", "start"), "blame": blame, "message": message}
    record = Record(folder.id, spec["keys"], dict(spec), status, failure, int(progress.get("attempts", 1)))
    folder.finish(record)
    return record
