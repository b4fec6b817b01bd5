"""What ``harness status`` shows of a run, from its folder alone, without a plan, data or an executor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.errors import HarnessError
from harness.store.runs import RunFolder
from harness.store.state import RunState, state_of


@dataclass(frozen=True)
class Status:
    """One run: its entry, seed and fold, its state, and the details of that.

    `figures` is its last heartbeat, `host` the machine on which it runs or last ran. `blame` and
    `message` are those of a failed run; `silent_s` is how many seconds ago a running one wrote its last
    heartbeat, by this machine's clock.
    """

    run_id: str
    leaderboard: str
    model: str
    loss: str
    dataset: str
    seed: int
    fold: int
    state: RunState
    figures: Mapping[str, Any]
    host: str = ""
    executor: str = ""
    handle: str = ""
    blame: str = ""
    message: str = ""
    silent_s: float | None = None
    reason: str = ""

    @property
    def name(self) -> str:
        """The entry's name."""
        return f"{self.model} + {self.loss}" if self.loss else self.model


def status_of(folder: RunFolder) -> Status:
    """The status of one run; a run whose spec can't be read has failed."""
    try:
        spec = folder.spec()
    except HarnessError as error:
        return _unreadable(folder, f"its spec can't be read: {error}")
    known = state_of(folder, spec)
    failure = known.failure if known.state is RunState.FAILED else None
    submission = folder.submitted() or {}
    figures = known.figures
    return Status(
        folder.id,
        spec.leaderboard,
        spec.model.label,
        spec.loss.label,
        spec.dataset.label,
        seed=spec.seed,
        fold=spec.fold,
        state=known.state,
        figures=figures,
        host=known.holder.host if known.holder is not None else str(figures.get("host", "")),
        executor=str(submission.get("executor", "")),
        handle=str(submission.get("handle", "")),
        blame="" if failure is None else failure.blame,
        message="" if failure is None else failure.message,
        silent_s=known.silent_s,
        reason=known.reason,
    )


def _unreadable(folder: RunFolder, message: str) -> Status:
    return Status(
        folder.id,
        leaderboard="",
        model=folder.id,
        loss="",
        dataset="",
        seed=0,
        fold=0,
        state=RunState.FAILED,
        figures={},
        blame="harness",
        message=message,
        reason=message,
    )
