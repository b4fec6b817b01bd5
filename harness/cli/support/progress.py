"""Progress of a plan on standard error: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from harness.board.aggregate import run_means
from harness.execute.scheduler import ScheduleOutcome
from harness.plan.plan import Plan, PlannedRun
from harness.session.events import PlanMade, RunEvent, SessionEvent, StepAdvanced
from harness.store.record import Record
from harness.store.state import Action, RunState
from harness.tables.units import duration, metric_scale
from harness.views.heartbeat import progress_text

PLAIN_INTERVAL_S = 15.0
"""Without a terminal, the shortest time between two progress lines of a run."""


SHOWN = 12
"""The most runs that have a progress bar at once."""


class Progress:
    """Shows the events of a session. A context manager; `quiet` shows nothing, `plain` lines without bars."""

    def __init__(self, *, quiet: bool = False, plain: bool = False) -> None:
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._live = self._console.is_terminal and not quiet and not plain
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._live,
            transient=True,
        )
        self._steps: dict[str, TaskID] = {}
        self._all: TaskID | None = None
        self._running: dict[str, TaskID] = {}
        self._last_epoch: dict[str, int] = {}
        self._printed_at: dict[str, float] = {}
        self._waiting: set[str] = set()
        self._noted: set[str] = set()

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def __call__(self, event: SessionEvent) -> None:
        """Show one event."""
        if isinstance(event, StepAdvanced):
            self._step(event)
        elif isinstance(event, PlanMade):
            self._plan(event.plan)
        elif isinstance(event, RunEvent):
            self._run(event)
        else:
            self._outcome(event.outcome)

    def _step(self, event: StepAdvanced) -> None:
        """Advance the bar of a step; each pass of scoring starts a new bar."""
        task = self._steps.get(event.step)
        if task is None or (event.step == "scoring cases" and event.done == 1):
            task = self._steps[event.step] = self._bars.add_task(event.step, total=event.total, figures="")
        self._bars.update(task, completed=event.done, visible=event.done < event.total)

    def _plan(self, plan: Plan) -> None:
        """Print the notes of a plan, its skipped entries, and its number of runs by state."""
        for note in plan.notes:
            self._console.print(f"note: {escape(note)}")
        for run in plan.runs:
            if run.state == "skipped":
                self._console.print(f"skipped {escape(run.entry.label)}: {escape(run.reason)}")
        states = Counter(run.state for run in plan.runs if run.state != "skipped")
        total = sum(states.values())
        counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        self._console.print(f"{plan.leaderboard}: {total} runs ({counts or 'none'})")
        if states.keys() - {"done"}:
            self._all = self._bars.add_task("runs", total=total, completed=states[RunState.DONE], figures="")

    def _run(self, event: RunEvent) -> None:
        run, figures = event.run, dict(event.details)
        if event.kind == "start":
            self._start(run)
        elif event.kind == "progress":
            self._progress(run, figures)
        elif event.kind == "wait":
            if run.id not in self._waiting:
                self._waiting.add(run.id)
                self._console.print(f"waiting for {_name(run)}: another process is running it")
        elif event.kind == "lost":
            self._drop(run)
            why = f" ({figures['detail']})" if figures.get("detail") else ""
            self._console.print(
                f"lost the machine of {_name(run)}{escape(why)}; another one continues the run"
            )
        else:
            self._end(run, figures)

    def _outcome(self, outcome: ScheduleOutcome) -> None:
        """Print how the plan ended, and the share of time spent outside runs."""
        if outcome.left:
            self._console.print(
                f"{len(outcome.left)} runs continue without this command; see: harness status"
            )
            if outcome.unsubmitted:
                self._console.print(
                    f"{outcome.unsubmitted} more were not submitted: the queue was full; "
                    "run this command again later"
                )
        elif self._all is not None and outcome.wall_s:
            share = f"{100 * outcome.outside:.1f} %"
            self._console.print(f"took {duration(outcome.wall_s)}, {share} of it outside runs", style="dim")

    def _start(self, run: PlannedRun) -> None:
        self._printed_at[run.id] = time.monotonic()
        self._last_epoch[run.id] = 0
        verb = run.action if run.action in (Action.CONTINUE, Action.PREDICT) else "start"
        if not self._live:
            self._console.print(f"{verb} {_name(run)}")
        self._drop(run)
        if len(self._running) < SHOWN:
            self._running[run.id] = self._bars.add_task(_name(run), total=None, figures=verb)

    def _note(self, figures: dict[str, Any]) -> None:
        """Print each note of a heartbeat (a failed observer, the GPU) once, however many runs repeat it."""
        for note in figures.get("notes", ()):
            if note not in self._noted:
                self._noted.add(note)
                self._console.print(f"note: {escape(note)}", soft_wrap=True)

    def _progress(self, run: PlannedRun, figures: dict[str, Any]) -> None:
        self._note(figures)
        epoch, epochs = int(figures.get("epoch", 0)), int(figures.get("epochs", 0))
        text = progress_text(figures)
        task = self._running.get(run.id)
        if task is not None and epochs:
            steps = max(1, int(figures.get("steps", 1)))
            done = min(epochs, epoch - 1 + figures.get("step", 0) / steps)
            self._bars.update(task, total=epochs, completed=int(done), figures=text)
        elif task is not None:
            self._bars.update(task, figures=text)
        if not self._live and self._last_epoch.get(run.id) != epoch:
            self._last_epoch[run.id] = epoch
            if time.monotonic() - self._printed_at.get(run.id, 0.0) > PLAIN_INTERVAL_S:
                self._printed_at[run.id] = time.monotonic()
                self._console.print(f"  {_name(run)}: epoch {epoch}/{epochs} {text}")

    def _end(self, run: PlannedRun, figures: dict[str, Any]) -> None:
        self._note(figures)
        self._drop(run)
        if self._all is not None:
            self._bars.advance(self._all)
        if figures.get("status") == "done":
            self._console.print(f"done {_name(run)}{_means(figures['record'])}")
        elif figures.get("status") == "cancelled":
            self._console.print(f"cancelled {_name(run)}")
        else:
            message = (figures.get("failure") or {}).get("message", figures.get("status"))
            self._console.print(f"FAILED {_name(run)}: {escape(str(message))}")

    def _drop(self, run: PlannedRun) -> None:
        task = self._running.pop(run.id, None)
        if task is not None:
            self._bars.remove_task(task)


def _means(record: Record) -> str:
    """The means of a run in the metrics that its leaderboard ranks by, as text."""
    means = run_means(record, record.spec.protocol.rank_by)
    texts = [
        f"{name} {scale.text(value)} {scale.unit}".rstrip()
        for name, value in means.items()
        if value is not None
        for scale in [metric_scale(name)]
    ]
    return f": {', '.join(texts)}" if texts else ""


def _name(run: PlannedRun) -> str:
    many = f" s{run.seed} f{run.fold}" if run.seed or run.fold else ""
    return escape(f"{run.entry.label}{many}")
