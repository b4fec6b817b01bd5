"""How far runs are, from their folders alone: no plan, no data, no engine is asked."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.contract.spec import RunSpec
from harness.errors import HarnessError
from harness.store.runs import RunFolder

State = Literal["running", "queued", "failed", "cancelled", "stopped", "waiting", "done"]

STATES: tuple[State, ...] = ("running", "queued", "failed", "cancelled", "stopped", "waiting", "done")
"""In the order in which people want to see them.

``queued``: an engine was asked for it and has not begun. ``stopped``: begun, and nobody works on it.
``waiting``: planned, and not begun.
"""


@dataclass(frozen=True)
class Status:
    """One run: what it is of, its state, and what is known of that.

    `figures` is its last heartbeat, `host` where it runs or was begun. `blame` and `message` are of a
    failure; `silent_s` is how long a running one has not been heard of, by this machine's clock.
    """

    run_id: str
    leaderboard: str
    model: str
    loss: str
    dataset: str
    seed: int
    fold: int
    state: State
    figures: Mapping[str, Any]
    host: str = ""
    executor: str = ""
    handle: str = ""
    blame: str = ""
    message: str = ""
    silent_s: float | None = None

    @property
    def name(self) -> str:
        """What it is of, as people say it."""
        return f"{self.model} + {self.loss}" if self.loss else self.model


def status_of(folder: RunFolder) -> Status:
    """The status of one run; HarnessError for a folder whose spec can't be read."""
    spec = folder.spec()
    submitted = folder.submitted() or {}
    state, figures, failure, silent = _state(folder, spec, submitted)
    holder = folder.holder() if state == "running" else None
    return Status(
        folder.id,
        spec.leaderboard,
        spec.model.label,
        spec.loss.label,
        spec.dataset.label,
        seed=spec.seed,
        fold=spec.fold,
        state=state,
        figures=figures,
        host=holder.host if holder is not None else str(figures.get("host", "")),
        executor=str(submitted.get("executor", "")),
        handle=str(submitted.get("handle", "")),
        blame=str(failure.get("blame", "")),
        message=str(failure.get("message", "")),
        silent_s=silent,
    )


def damaged(folder: RunFolder, error: HarnessError) -> Status:
    """The status of a run whose spec can't be read."""
    told = f"its spec can't be read: {error}"
    return Status(
        folder.id, "", folder.id, "", "", 0, 0, state="failed", figures={}, blame="harness", message=told
    )


_Known = tuple[State, Mapping[str, Any], Mapping[str, Any], float | None]


def _state(folder: RunFolder, spec: RunSpec, submitted: Mapping[str, Any]) -> _Known:
    try:
        record = folder.record(scores=False)
    except HarnessError as error:
        return "failed", {}, {"blame": "harness", "message": f"its record can't be used: {error}"}, None
    if record is not None and record.status == "done" and folder.answers(spec, record):
        return "done", {}, {}, None
    figures = folder.progress()
    if folder.busy():
        beat = folder.heard()
        return "running", figures, {}, None if beat is None else max(0.0, time.time() - beat)
    if folder.cancelled():
        return "cancelled", figures, {}, None
    asked = submitted.get("at", 0.0) if submitted.get("leaves") else 0.0
    if asked > max((folder.stamp() or 0) / 1e9, folder.heard() or 0.0):
        return "queued", figures, {}, None
    failed = record or folder.earlier()
    if failed is not None and failed.status != "done":
        return "failed", figures, failed.failure or {}, None
    return ("stopped" if folder.started() or record is not None else "waiting"), figures, {}, None
