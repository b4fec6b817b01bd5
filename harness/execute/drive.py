"""Carry out a plan: one run after the other, whatever happens to any of them."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from harness.errors import BUSY, INTERRUPTED, HarnessError
from harness.execute.local import Executor, Local
from harness.plan.plan import PlannedRun
from harness.store.record import Record
from harness.store.runs import RunFolder, RunsFolder

POLL_S = 0.2
Event = Literal["start", "progress", "wait", "end"]
Listener = Callable[[Event, PlannedRun, dict[str, Any]], None]


@dataclass(frozen=True)
class Outcome:
    """How the runs of a plan ended, by id."""

    done: tuple[str, ...]
    failed: tuple[str, ...]


def drive(
    planned: Sequence[PlannedRun],
    runs: RunsFolder,
    listen: Listener,
    *,
    timeout_s: float | None = None,
    executor: Executor | None = None,
) -> Outcome:
    """Run what is not done. KeyboardInterrupt stops the worker first; what it had saved stays.

    `listen(event, run, figures)` hears of every start, heartbeat, wait and end. A run that
    another process holds is waited for, so nothing is done twice. Without an `executor` each run is
    a process of this machine.
    """
    executor = executor or Local()
    waited: set[str] = set()
    queue = deque(run for run in planned if run.state in ("resume", "todo", "running"))
    done = [run.id for run in planned if run.state == "done"]
    failed: list[str] = []
    while queue:
        run = queue.popleft()
        folder = runs.run(run.id)
        if folder.busy():
            # Others' runs go last: there may be something free meanwhile.
            listen("wait", run, folder.progress())
            waited.add(run.id)
            if all(runs.run(other.id).busy() for other in queue):
                time.sleep(5 * POLL_S)
            queue.append(run)
            continue
        record = _record(folder)
        # What another process came to while this one waited is the outcome, a failure too.
        settled = record is not None and run.id in waited and dict(record.keys) == run.spec["keys"]
        if record is None or not (settled or folder.answers(run.spec)):
            record = _one(executor, run, folder, listen, timeout_s)
            if record is None or dict(record.keys) != run.spec["keys"]:
                # Another process was faster, perhaps under other metrics: look again later.
                queue.append(run)
                continue
        ok = record.status == "done"
        (done if ok else failed).append(run.id)
        listen("end", run, {**folder.progress(), "status": record.status, "failure": record.failure})
    return Outcome(tuple(done), tuple(failed))


def _record(folder: RunFolder) -> Record | None:
    """The record; a damaged one is none, and is made again."""
    try:
        return folder.record()
    except HarnessError:
        return None


def _one(
    executor: Executor, run: PlannedRun, folder: RunFolder, listen: Listener, timeout_s: float | None
) -> Record | None:
    """Start a worker and wait for it; None when another process was faster."""
    folder.plan(run.spec, run.local)
    listen("start", run, {})
    worker = executor.submit(folder.path)
    start = time.monotonic()
    try:
        while (code := executor.poll(worker)) is None:
            if timeout_s is not None and time.monotonic() - start > timeout_s:
                executor.cancel(worker)
                return _ended(
                    run, folder, "timeout", "resource", f"stopped after {timeout_s:g} s (--timeout)"
                )
            time.sleep(POLL_S)
            listen("progress", run, folder.progress())
    except BaseException:
        executor.cancel(worker)
        raise
    if code == BUSY:
        return None
    record = _record(folder)
    if record is not None:
        return record
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    if code < 0:
        name = signal.Signals(-code).name
        hint = "; the system may have run out of memory" if name == "SIGKILL" else ""
        return _ended(run, folder, "interrupted", "resource", f"the worker was ended by {name}{hint}")
    return _ended(
        run, folder, "failed", "harness", f"the worker ended with code {code}; see log.txt of the run"
    )


def _ended(run: PlannedRun, folder: RunFolder, status: Any, blame: str, message: str) -> Record:
    """Record an end that the worker could not record itself."""
    progress = folder.progress()
    failure = {"phase": progress.get("phase", "start"), "blame": blame, "message": message}
    record = Record(run.id, run.spec["keys"], run.spec, status, failure, int(progress.get("attempts", 1)))
    folder.finish(record)
    return record
