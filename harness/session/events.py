"""Typed events that a session sends to a listener; `str` of an event is a line of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.execute.scheduler import Event as RunEventKind
from harness.execute.scheduler import ScheduleOutcome
from harness.plan.plan import Plan, PlannedRun
from harness.views.heartbeat import progress_text

Step = Literal["reading cases", "scoring cases", "timing", "preflight"]


@dataclass(frozen=True)
class StepAdvanced:
    """`done` of `total` parts of a step are done."""

    step: Step
    done: int
    total: int

    def __str__(self) -> str:
        return f"{self.step}: {self.done} of {self.total}"


@dataclass(frozen=True)
class PlanMade:
    """The plan is made, and its runs are about to be scheduled."""

    plan: Plan

    def __str__(self) -> str:
        states = Counter(str(run.state) for run in self.plan.runs)
        counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        return f"{self.plan.leaderboard}: {len(self.plan.runs)} runs ({counts or 'none'})"


@dataclass(frozen=True)
class RunEvent:
    """Something happened to a run.

    `kind` is start, progress, wait (another process holds the run), lost (its machine is gone) or end.
    `details` is the run's last heartbeat; of an end, also its status, failure and record.
    """

    kind: RunEventKind
    run: PlannedRun
    details: Mapping[str, Any]

    def __str__(self) -> str:
        name = f"{self.run.entry.label}, seed {self.run.seed}, fold {self.run.fold}"
        if self.kind == "progress":
            words = [progress_text(self.details)]
            if self.details.get("phase") == "train" and self.details.get("epochs"):
                words.insert(0, f"epoch {self.details.get('epoch', 0)} of {self.details['epochs']}")
            return f"{name}: {', '.join(words)}"
        if self.kind == "end":
            failure = self.details.get("failure") or {}
            message = f": {failure['message']}" if failure.get("message") else ""
            return f"{name}: {self.details.get('status', 'ended')}{message}"
        words_of = {"start": "starts", "wait": "another process is running it", "lost": "its machine is lost"}
        return f"{name}: {words_of[self.kind]}"


@dataclass(frozen=True)
class ScheduleEnded:
    """The session has finished with all runs of the plan."""

    outcome: ScheduleOutcome

    def __str__(self) -> str:
        outcome = self.outcome
        counts = {
            "done": outcome.done,
            "failed": outcome.failed,
            "cancelled": outcome.cancelled,
            "continuing elsewhere": outcome.left,
        }
        return ", ".join(f"{len(runs)} {state}" for state, runs in counts.items() if runs) or "no runs"


SessionEvent = StepAdvanced | PlanMade | RunEvent | ScheduleEnded
Listener = Callable[[SessionEvent], None]


def ignore(event: SessionEvent) -> None:
    """A listener that does nothing."""


def advancing(on_event: Listener, step: Step) -> Callable[[int, int], None]:
    """A function ``advance(done, total)`` that sends `StepAdvanced` to `on_event`."""
    return lambda done, total: on_event(StepAdvanced(step, done, total))
