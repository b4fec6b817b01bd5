"""The scheduler: submits the runs of a plan to an executor, and records the ends that workers could not."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.contract.layout import as_json
from harness.errors import BUSY, INTERRUPTED, HarnessError
from harness.execute.executor import Answer, Job, ResourceRequest, RunExecutor
from harness.execute.failure import died, ended
from harness.plan.plan import PlannedRun
from harness.store.record import Record
from harness.store.runs import RunFolder, RunsFolder
from harness.store.state import Action, RunState, state_of

LOST_TRIES = 3
"""A run is submitted at most this many times if its machine is lost each time."""

SETTLE_S = 10.0
"""A record written on another machine may become visible here this much later than the end of its job."""

TIMEOUT_GRACE_S = 30.0
"""A worker stops itself at its timeout; the scheduler stops one that hangs this much later."""

RECHECK_S = 1.0
"""The interval at which the state of a run that another process holds is read again."""

Event = Literal["start", "progress", "wait", "end", "lost"]
Listener = Callable[[Event, PlannedRun, dict[str, Any]], None]


@dataclass(frozen=True)
class ScheduleOutcome:
    """How the runs of a plan ended, by id. `left` are those that continue without this command.

    `unsubmitted` is the number of runs for which the executor had no room. `outside` is the share of the
    time (`wall_s`) in which no run was active.
    """

    done: tuple[str, ...]
    failed: tuple[str, ...]
    cancelled: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    unsubmitted: int = 0
    wall_s: float = 0.0
    outside: float = 0.0


@dataclass
class Active:
    """A submitted run with its handle; `since` (out of the queue) and `ended_at` are monotonic times."""

    run: PlannedRun
    folder: RunFolder
    handle: str
    since: float
    ended_at: float | None = None


def schedule(
    planned: Sequence[PlannedRun],
    runs: RunsFolder,
    listen: Listener,
    executor: RunExecutor,
    *,
    name: str = "local",
    timeout_s: float | None = None,
    need: Callable[[PlannedRun], ResourceRequest] = lambda run: ResourceRequest(),
    detach: bool = False,
) -> ScheduleOutcome:
    """Run all planned runs that are not done.

    KeyboardInterrupt stops the workers before it is raised; their checkpoints stay. `listen(event, run,
    figures)` is called at every start, heartbeat, wait and end. A run that another process holds is waited
    for, so that no run is executed twice. `name` is the executor's name, under which another command finds
    its jobs. With `detach`, as many runs are submitted as the executor has room for, and none is waited for.
    """
    return _Scheduler(runs, listen, executor, name, timeout_s, need, planned).run(detach)


@dataclass
class _Scheduler:
    """The runs of a plan on their way from the `queue` to done, failed or cancelled.

    `waiting` runs are held by other processes; `old` are the stamps of records from before this command.
    """

    runs: RunsFolder
    listen: Listener
    executor: RunExecutor
    name: str
    timeout_s: float | None
    need: Callable[[PlannedRun], ResourceRequest]
    planned: Sequence[PlannedRun]
    queue: deque[PlannedRun] = field(default_factory=deque)
    waiting: deque[PlannedRun] = field(default_factory=deque)
    active: dict[str, Active] = field(default_factory=dict)
    old: dict[str, int | None] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    checked: float = 0.0

    def run(self, detach: bool) -> ScheduleOutcome:
        self.done = [run.id for run in self.planned if run.state is RunState.DONE]
        # All entries of a fold before the next fold: an interrupted plan has whole folds to rank.
        in_turn = sorted(self.planned, key=lambda run: (run.seed, run.fold))
        self.queue.extend(run for run in in_turn if run.action is not Action.NOTHING)
        self.old = {run.id: self.runs.run(run.id).stamp() for run in self.queue}
        for run in self.queue:
            self._register(run)
        begun, working = time.monotonic(), 0.0
        try:
            while self.queue or self.waiting or self.active:
                before, busy = time.monotonic(), bool(self.active)
                self._fill()
                busy = busy or bool(self.active)
                if detach:
                    break
                for active in list(self.active.values()):
                    self._poll(active)
                if self.active or self.waiting:
                    time.sleep(self.executor.poll_s if self.active else RECHECK_S)
                working += (time.monotonic() - before) * busy
        except BaseException:
            self._stop()
            raise
        wall = time.monotonic() - begun
        outside = (wall - working) / wall if self.old and wall > 0 else 0.0
        ends = (tuple(self.done), tuple(self.failed), tuple(self.cancelled))
        return ScheduleOutcome(*ends, tuple(self.active), len(self.queue), wall, outside)

    def _register(self, run: PlannedRun) -> None:
        """Write the specification, so that other commands see the run; lift an earlier cancellation."""
        folder = self.runs.run(run.id)
        if not folder.busy():
            folder.plan(run.spec, run.local)
            folder.want()

    def _fill(self) -> None:
        """Submit runs while the executor has room; runs that other processes hold wait."""
        if time.monotonic() - self.checked > RECHECK_S:
            self.checked = time.monotonic()
            self.queue.extend(self.waiting)
            self.waiting.clear()
        while self.queue and (room := self.executor.room(self.need(self.queue[0]))) > 0:
            batch: list[tuple[PlannedRun, RunFolder]] = []
            while self.queue and len(batch) < room:
                run = self.queue.popleft()
                if self._free(run):
                    batch.append((run, self.runs.run(run.id)))
            if batch:
                self._submit(batch)

    def _free(self, run: PlannedRun) -> bool:
        """True if the run is to be submitted: no queue or other process has it, and it has not ended."""
        folder = self.runs.run(run.id)
        handle = self._handle_of(folder)
        state = state_of(folder, run.spec).state
        if state is RunState.CANCELLED and handle is None:
            self._stopped(run, folder)
            return False
        if state is RunState.RUNNING and handle is None:
            # It waits behind the others, of which some may be free.
            self.listen("wait", run, folder.progress())
            self.waiting.append(run)
            return False
        record = readable(folder)
        if record is not None and self._has_ended(run, folder, record):
            self._end(run, folder, record)
        elif handle is not None:
            self.active[run.id] = Active(run, folder, handle, time.monotonic())
            self.listen("start", run, {})
        else:
            return True
        return False

    def _handle_of(self, folder: RunFolder) -> str | None:
        """The handle of a run that an earlier command submitted and that the executor still has."""
        before = folder.submitted() if self.executor.leaves else None
        if before is None or before["executor"] != self.name:
            return None
        handle = str(before["handle"])
        return handle if self.executor.poll(handle).state in ("queued", "running") else None

    def _has_ended(self, run: PlannedRun, folder: RunFolder, record: Record) -> bool:
        """True if the run is done, or another process has ended it since this one began."""
        news = folder.stamp() != self.old[run.id]
        return folder.answers(run.spec) or (news and record.keys == run.spec.keys)

    def _submit(self, batch: Sequence[tuple[PlannedRun, RunFolder]]) -> None:
        jobs = []
        for run, folder in batch:
            # Again: another command may have held the run when this one registered it.
            folder.plan(run.spec, run.local)
            self.listen("start", run, {})
            self.tries[run.id] = self.tries.get(run.id, 0) + 1
            jobs.append(Job(folder.path, self.need(run), self.timeout_s))
        for (run, folder), handle in zip(batch, self.executor.submit(jobs), strict=True):
            folder.submit(self.name, handle, time.time(), leaves=self.executor.leaves)
            self.active[run.id] = Active(run, folder, handle, time.monotonic())

    def _poll(self, active: Active) -> None:
        """Ask the executor for a job, and act on the answer."""
        answer = self.executor.poll(active.handle)
        if answer.state in ("queued", "running"):
            figures = active.folder.progress() if answer.state == "running" else {"phase": "queued"}
            self.listen("progress", active.run, figures)
            limit = self.timeout_s
            if answer.state == "queued":
                active.since = time.monotonic()
                if active.folder.cancelled():
                    self.executor.cancel(active.handle)
                    del self.active[active.run.id]
                    self._stopped(active.run, active.folder)
            elif limit is not None and time.monotonic() - active.since > limit + TIMEOUT_GRACE_S:
                self.executor.cancel(active.handle)
                message = f"stopped after {limit:g} s (--timeout)"
                self._over(active, ended(active.run.spec, active.folder, "timeout", "resource", message))
            return
        record = readable(active.folder)
        current = record is not None and active.folder.stamp() != self.old[active.run.id]
        if record is not None and (current or active.folder.answers(active.run.spec)):
            if record.keys == active.run.spec.keys:
                self._over(active, record)
            else:
                # Another process was faster, under other metrics: try again later.
                self._again(active)
            return
        self._no_record(active, answer)

    def _no_record(self, active: Active, answer: Answer) -> None:
        """Act on a job that ended without a record."""
        if answer.code == BUSY:
            self._again(active)
        elif answer.state == "cancelled" or active.folder.cancelled():
            del self.active[active.run.id]
            self._stopped(active.run, active.folder)
        elif answer.state == "lost" or (answer.code == INTERRUPTED and self.executor.leaves):
            if self.tries[active.run.id] < LOST_TRIES:
                self.listen("lost", active.run, {"detail": answer.detail})
                self._again(active)
            else:
                message = f"its machine was lost {LOST_TRIES} times. {answer.detail}".strip()
                self._over(active, ended(active.run.spec, active.folder, "interrupted", "resource", message))
        elif answer.code == INTERRUPTED:
            # Somebody stopped this worker alone; Ctrl-C would have reached this process too.
            del self.active[active.run.id]
            self._stopped(active.run, active.folder)
        elif self.executor.leaves and self._may_become_visible(active):
            return
        else:
            self._over(active, died(active.run.spec, active.folder, answer))

    def _stopped(self, run: PlannedRun, folder: RunFolder) -> None:
        self.cancelled.append(run.id)
        self.listen("end", run, {**folder.progress(), "status": "cancelled"})

    def _may_become_visible(self, active: Active) -> bool:
        active.ended_at = active.ended_at or time.monotonic()
        return time.monotonic() - active.ended_at < SETTLE_S

    def _again(self, active: Active) -> None:
        del self.active[active.run.id]
        self.waiting.append(active.run)

    def _over(self, active: Active, record: Record) -> None:
        del self.active[active.run.id]
        self._end(active.run, active.folder, record)

    def _end(self, run: PlannedRun, folder: RunFolder, record: Record) -> None:
        (self.done if record.status == "done" else self.failed).append(run.id)
        how = {
            "status": record.status,
            "failure": None if record.failure is None else as_json(record.failure),
            "record": record,
        }
        self.listen("end", run, {**folder.progress(), **how})

    def _stop(self) -> None:
        """Stop the workers, except those of an executor whose jobs outlive the command."""
        if not self.executor.leaves:
            for active in self.active.values():
                self.executor.cancel(active.handle)


def readable(folder: RunFolder) -> Record | None:
    """The record of a run; None where there is none or it is damaged, so that it is made again."""
    try:
        return folder.record()
    except HarnessError:
        return None
