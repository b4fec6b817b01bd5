"""Executing the runs of a leaderboard, and rebuilding its tables."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from harness.board.assign_records import entry_name
from harness.board.board import Entry
from harness.errors import Blame, ConfigError, nearest
from harness.execute.executor import RunExecutor
from harness.execute.resource_requests import Needs
from harness.execute.scheduler import Event, ScheduleOutcome, schedule
from harness.plan.plan import Plan, PlannedRun
from harness.session.events import Listener, PlanMade, RunEvent, ScheduleEnded
from harness.session.executors import DEFAULT, open_executor
from harness.session.leaderboard import Leaderboard
from harness.session.open_leaderboard import OpenLeaderboard
from harness.session.periodic_rebuild import PeriodicRebuild
from harness.session.planning import plan_runs
from harness.session.rebuild import rebuild
from harness.session.workspace import Workspace


@dataclass(frozen=True)
class RunOptions:
    """Options of execution; see `Session.run`."""

    executor: str = DEFAULT
    jobs: int | None = None
    address: str | None = None
    timeout_s: float | None = None
    observers: Mapping[str, str] = field(default_factory=dict)
    detach: bool = False
    debug: bool = False
    progress_s: float = 5.0


@dataclass(frozen=True, repr=False)
class RunsOutcome:
    """How the runs of a plan ended, and the rebuilt leaderboard.

    `leaderboard` is None if runs were submitted and left to the executor, or were cancelled before there
    was anything to rank. `schedule` has the ids of runs that are done, failed, cancelled or
    left.
    """

    plan: Plan
    schedule: ScheduleOutcome
    leaderboard: Leaderboard | None

    def __repr__(self) -> str:
        return f"RunsOutcome({self.plan.leaderboard}: {ScheduleEnded(self.schedule)})"

    @property
    def ok(self) -> bool:
        """Whether no run failed or was cancelled."""
        return not (self.schedule.failed or self.schedule.cancelled)

    @property
    def new_entries(self) -> frozenset[Entry]:
        """The entries with a run that this call finished."""
        done = set(self.schedule.done)
        return frozenset(
            entry_name(run.entry) for run in self.plan.runs if run.state != "done" and run.id in done
        )


Wanted = Callable[[OpenLeaderboard, PlannedRun], bool]


def run_leaderboard(
    opened: OpenLeaderboard, options: RunOptions, on_event: Listener, wanted: Wanted | None = None
) -> RunsOutcome:
    """Execute the selected runs that are `wanted` (default: all), and rank the leaderboard."""
    if options.debug and options.timeout_s is not None:
        raise ConfigError("cannot be combined with --timeout, which would stop it", where="--pdb")
    if options.timeout_s is not None and not 0 < options.timeout_s < math.inf:
        raise ConfigError(f"a timeout of {options.timeout_s} s", remedy="Give a finite number above 0.")
    with _debugging(options.debug):
        plan = plan_runs(opened, on_event, options.observers)
    if wanted is not None:
        plan = replace(plan, runs=tuple(run for run in plan.runs if wanted(opened, run)))
    on_event(PlanMade(plan))
    schedule = _schedule(opened, plan, options, on_event)
    on_event(ScheduleEnded(schedule))
    if options.detach and schedule.left:
        return RunsOutcome(plan, schedule, None)
    try:
        return RunsOutcome(plan, schedule, rebuild(opened))
    except ConfigError:
        if not schedule.cancelled:
            raise
        # Cancelled before there was anything to rank.
        return RunsOutcome(plan, schedule, None)


def _debugging(debug: bool) -> contextlib.AbstractContextManager[None]:
    if not debug:
        return contextlib.nullcontext()
    from harness.probe.debugger import debugging

    return debugging()


def _schedule(
    opened: OpenLeaderboard, plan: Plan, options: RunOptions, on_event: Listener
) -> ScheduleOutcome:
    executor, name = _executor(opened, options)
    tables = PeriodicRebuild(opened)

    news = _News(options.progress_s)

    def listen(event: Event, run: PlannedRun, details: dict[str, Any]) -> None:
        if event != "progress" or news.in_heartbeat(run.id, details):
            on_event(RunEvent(event, run, details))
        if event == "end":
            tables.run_ended()

    opened.runs.note(opened.title, [run.id for run in plan.runs if run.id])
    resources = {name: asked.model_dump() for name, asked in opened.project.settings.resources.items()}
    try:
        return schedule(
            plan.runs,
            opened.runs,
            listen,
            executor,
            name=name,
            timeout_s=options.timeout_s,
            need=Needs(plan.runs, opened.runs, resources),
            detach=options.detach,
        )
    finally:
        executor.close()


class _News:
    """Which heartbeats are passed on: the scheduler reads them at every poll, changed or not."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._passed: dict[str, tuple[Mapping[str, Any], float]] = {}

    def in_heartbeat(self, run_id: str, heartbeat: Mapping[str, Any]) -> bool:
        """True for a new phase or epoch, and for other changes at most one in each interval."""
        last, at = self._passed.get(run_id, ({}, 0.0))
        if heartbeat == last:
            return False
        now = time.monotonic()
        same = all(heartbeat.get(name) == last.get(name) for name in ("phase", "epoch"))
        if same and now - at < self._interval_s:
            return False
        self._passed[run_id] = (dict(heartbeat), now)
        return True


def _executor(opened: OpenLeaderboard, options: RunOptions) -> tuple[RunExecutor, str]:
    if options.debug:
        from harness.execute.inline import Inline
        from harness.probe.debugger import debug_failure

        return Inline(failed=debug_failure), "inline"
    executor, name = open_executor(
        opened.registry, opened.project, options.executor, jobs=options.jobs, address=options.address
    )
    if options.detach and not executor.leaves:
        raise ConfigError(
            f"runs of executor {name} end with the command", where="--detach", remedy="Omit --detach."
        )
    return executor, name


def trial_overrides(workspace: Workspace, name: str, limit: int, overrides: Sequence[str]) -> tuple[str, ...]:
    """`overrides`, and those of a trial: one epoch of `limit` batches, `limit` cases, a seed and fold."""
    from harness.config.load import load

    overrides = tuple(overrides)
    _, protocol = load(workspace.file, name, (*workspace.overrides, *overrides)).leaderboard(name)
    trial = [f"protocol.limit={limit}", "protocol.epochs=1", f"protocol.seeds=[{protocol.seeds[0]}]"]
    if protocol.split != "official":
        trial.append(f"protocol.run_folds=[{(protocol.run_folds or (0,))[0]}]")
    return (*overrides, *trial)


def failed_before(blame: Sequence[str]) -> Wanted:
    """Selects runs whose last attempt failed; with `blame`, only failures with such a blame.

    ConfigError for an unknown blame.
    """
    for name in blame:
        if name not in get_args(Blame):
            raise ConfigError(f"no blame '{name}'", where="retry", remedy=nearest(name, get_args(Blame)))

    def wanted(opened: OpenLeaderboard, run: PlannedRun) -> bool:
        if run.failure is None:
            return False
        return not blame or run.failure.blame in blame

    return wanted
