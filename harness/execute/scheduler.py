"""Carry out a plan: as many runs at a time as the executor has room for, whatever happens to any of them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.errors import BUSY, INTERRUPTED, HarnessError
from harness.execute.executor import Answer, Job, ResourceRequest, RunExecutor
from harness.execute.failure import died, ended
from harness.plan.plan import PlannedRun
from harness.store.record import Record
from harness.store.runs import RunFolder, RunsFolder
from harness.store.state import Action, RunState, state_of

LOST_TRIES = 3
"""A run whose machine is lost is placed this often; after that something else is wrong with it."""

SETTLE_S = 10.0
"""A record that another machine wrote may show up here this much later than the end of its job."""

TIMEOUT_GRACE_S = 30.0
"""A worker stops itself at its timeout; one that hangs is stopped this much later."""

LOOK_AGAIN_S = 1.0
"""A run that another process holds is looked at this often."""

Event = Literal["start", "progress", "wait", "end", "lost"]
Listener = Callable[[Event, PlannedRun, dict[str, Any]], None]


@dataclass(frozen=True)
class ScheduleOutcome:
    """How the runs of a plan ended, by id. `left` are those that go on without this command.

    `unsubmitted` is how many there was no room for. `outside` is the share of the time (`wall_s`) in
    which no run was at work.
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
    """A run that was submitted."""

    run: PlannedRun
    folder: RunFolder
    handle: str
    since: float
    ended_at: float | None = None


def drive(
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
    """Run what is not done. KeyboardInterrupt stops the workers first; what they had saved stays.

    `listen(event, run, figures)` hears of every start, heartbeat, wait and end. A run that
    another process holds is waited for, so nothing is done twice. `name` is what the executor
    is called when another command asks for its jobs. With `detach`, what there is room for is
    submitted and left.
    """
    return _Drive(runs, listen, executor, name, timeout_s, need, planned).carry_out(detach)


@dataclass
class _Drive:
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
    looked: float = 0.0

    def carry_out(self, detach: bool) -> ScheduleOutcome:
        self.done = [run.id for run in self.planned if run.state is RunState.DONE]
        # A fold of all entries before the next: should time run out, those that are through can be ranked.
        in_turn = sorted(self.planned, key=lambda run: (run.seed, run.fold))
        self.queue.extend(run for run in in_turn if run.action is not Action.NOTHING)
        self.old = {run.id: self.runs.run(run.id).stamp() for run in self.queue}
        for run in self.queue:
            self._want(run)
        begun, working = time.monotonic(), 0.0
        try:
            while self.queue or self.waiting or self.active:
                before, busy = time.monotonic(), bool(self.active)
                self._fill()
                busy = busy or bool(self.active)
                if detach:
                    break
                for one in list(self.active.values()):
                    self._look(one)
                if self.active or self.waiting:
                    time.sleep(self.executor.poll_s if self.active else LOOK_AGAIN_S)
                working += (time.monotonic() - before) * busy
        except BaseException:
            self._stop()
            raise
        wall = time.monotonic() - begun
        outside = (wall - working) / wall if self.old and wall > 0 else 0.0
        ends = (tuple(self.done), tuple(self.failed), tuple(self.cancelled))
        return ScheduleOutcome(*ends, tuple(self.active), len(self.queue), wall, outside)

    def _want(self, run: PlannedRun) -> None:
        """Write down what is to do: others see it wait, and may cancel it. An older wish to stop is over."""
        folder = self.runs.run(run.id)
        if not folder.busy():
            folder.plan(run.spec, run.local)
            folder.want()

    def _fill(self) -> None:
        """Submit while there is room; what others hold waits."""
        if time.monotonic() - self.looked > LOOK_AGAIN_S:
            self.looked = time.monotonic()
            self.queue.extend(self.waiting)
            self.waiting.clear()
        while self.queue and (room := self.executor.room(self.need(self.queue[0]))) > 0:
            fresh: list[tuple[PlannedRun, RunFolder]] = []
            while self.queue and len(fresh) < room:
                run = self.queue.popleft()
                if self._free(run):
                    fresh.append((run, self.runs.run(run.id)))
            if fresh:
                self._submit(fresh)

    def _free(self, run: PlannedRun) -> bool:
        """True if the run is to be submitted; what an engine still has, or others hold, is watched."""
        folder = self.runs.run(run.id)
        handle = self._left(folder)
        state = state_of(folder, run.spec).state
        if state is RunState.CANCELLED and handle is None:
            self._stopped(run, folder)
            return False
        if state is RunState.RUNNING and handle is None:
            # Others' runs go last: there may be something free meanwhile.
            self.listen("wait", run, folder.progress())
            self.waiting.append(run)
            return False
        record = readable(folder)
        if record is not None and self._answers(run, folder, record):
            self._end(run, folder, record)
        elif handle is not None:
            self.active[run.id] = Active(run, folder, handle, time.monotonic())
            self.listen("start", run, {})
        else:
            return True
        return False

    def _left(self, folder: RunFolder) -> str | None:
        """The handle under which an engine still has the run from a command that is gone."""
        before = folder.submitted() if self.executor.leaves else None
        if before is None or before["executor"] != self.name:
            return None
        handle = str(before["handle"])
        return handle if self.executor.poll(handle).state in ("queued", "running") else None

    def _answers(self, run: PlannedRun, folder: RunFolder, record: Record) -> bool:
        """True if the run is over: done, or ended by another process since this one began."""
        news = folder.stamp() != self.old[run.id]
        return folder.answers(run.spec) or (news and record.keys == run.spec.keys)

    def _submit(self, fresh: Sequence[tuple[PlannedRun, RunFolder]]) -> None:
        jobs = []
        for run, folder in fresh:
            # Once more: another command may have held it when this one began.
            folder.plan(run.spec, run.local)
            self.listen("start", run, {})
            self.tries[run.id] = self.tries.get(run.id, 0) + 1
            jobs.append(Job(folder.path, self.need(run), self.timeout_s))
        for (run, folder), handle in zip(fresh, self.executor.submit(jobs), strict=True):
            folder.submit(self.name, handle, time.time(), leaves=self.executor.leaves)
            self.active[run.id] = Active(run, folder, handle, time.monotonic())

    def _look(self, one: Active) -> None:
        """Ask for one job, and see to what has become of it."""
        answer = self.executor.poll(one.handle)
        if answer.state in ("queued", "running"):
            figures = one.folder.progress() if answer.state == "running" else {"phase": "queued"}
            self.listen("progress", one.run, figures)
            limit = self.timeout_s
            if answer.state == "queued":
                one.since = time.monotonic()
                if one.folder.cancelled():
                    self.executor.cancel(one.handle)
                    del self.active[one.run.id]
                    self._stopped(one.run, one.folder)
            elif limit is not None and time.monotonic() - one.since > limit + TIMEOUT_GRACE_S:
                self.executor.cancel(one.handle)
                message = f"stopped after {limit:g} s (--timeout)"
                self._over(one, ended(one.run.spec, one.folder, "timeout", "resource", message))
            return
        record = readable(one.folder)
        current = record is not None and one.folder.stamp() != self.old[one.run.id]
        if record is not None and (current or one.folder.answers(one.run.spec)):
            if record.keys == one.run.spec.keys:
                self._over(one, record)
            else:
                # Another process was faster, under other metrics: look again later.
                self._again(one)
            return
        self._no_record(one, answer)

    def _no_record(self, one: Active, answer: Answer) -> None:
        """A job is over and has left no record."""
        if answer.code == BUSY:
            self._again(one)
        elif answer.state == "cancelled" or one.folder.cancelled():
            del self.active[one.run.id]
            self._stopped(one.run, one.folder)
        elif answer.state == "lost" or (answer.code == INTERRUPTED and self.executor.leaves):
            if self.tries[one.run.id] < LOST_TRIES:
                self.listen("lost", one.run, {"detail": answer.detail})
                self._again(one)
            else:
                message = f"its machine was lost {LOST_TRIES} times. {answer.detail}".strip()
                self._over(one, ended(one.run.spec, one.folder, "interrupted", "resource", message))
        elif answer.code == INTERRUPTED:
            # Somebody ended the worker alone; Ctrl-C reaches this process too.
            del self.active[one.run.id]
            self._stopped(one.run, one.folder)
        elif self.executor.leaves and self._may_yet_come(one):
            return
        else:
            self._over(one, died(one.run.spec, one.folder, answer))

    def _stopped(self, run: PlannedRun, folder: RunFolder) -> None:
        self.cancelled.append(run.id)
        self.listen("end", run, {**folder.progress(), "status": "cancelled"})

    def _may_yet_come(self, one: Active) -> bool:
        one.ended_at = one.ended_at or time.monotonic()
        return time.monotonic() - one.ended_at < SETTLE_S

    def _again(self, one: Active) -> None:
        del self.active[one.run.id]
        self.waiting.append(one.run)

    def _over(self, one: Active, record: Record) -> None:
        del self.active[one.run.id]
        self._end(one.run, one.folder, record)

    def _end(self, run: PlannedRun, folder: RunFolder, record: Record) -> None:
        (self.done if record.status == "done" else self.failed).append(run.id)
        how = {"status": record.status, "failure": record.failure, "record": record}
        self.listen("end", run, {**folder.progress(), **how})

    def _stop(self) -> None:
        """Stop the workers, except those that outlive this command by intention."""
        if not self.executor.leaves:
            for one in self.active.values():
                self.executor.cancel(one.handle)


def readable(folder: RunFolder) -> Record | None:
    """The record; a damaged one is none, and is made again."""
    try:
        return folder.record()
    except HarnessError:
        return None
