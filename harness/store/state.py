"""The state of a run, worked out from its folder: the same words in every command.

::

                         +------------- a worker starts (local, inline, ray) ------------+
                         |                                                               v
    waiting --- harness run --- submitted to a queue ---> queued --- a worker starts ---> running
                         ^                                  |                             |
                         |                                  | harness cancel              |
       harness run takes the run up again                   v                             |
                         |                               cancelled <-- harness cancel ----+
                         +------------------------------ failed <----- record of a failure+
                         |                               stopped <---- no record ---------+
                         +-- outdated <-- other metrics -- done <----- record of a result +

    skipped: the combination of model, loss and dataset can't be run; it has no folder.

What ``harness run`` does about a state is its `Action`; `action_of` derives it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.contract.record import Failure
from harness.contract.spec import RunSpec
from harness.errors import HarnessError
from harness.store.lease import Holder
from harness.store.record import Record
from harness.store.runs import RunFolder


class RunState(StrEnum):
    """The states of a run, in the order in which ``harness status`` lists them."""

    RUNNING = "running"
    """A process holds the run's lease."""
    QUEUED = "queued"
    """An executor has it in a queue that outlives the command that submitted it."""
    FAILED = "failed"
    """Its last attempt that ended was a failure."""
    CANCELLED = "cancelled"
    """``harness cancel`` was called for it, and it was not requested again."""
    STOPPED = "stopped"
    """It has a checkpoint or trained weights but no record, and no process holds it."""
    OUTDATED = "outdated"
    """Finished, under other metrics or post-processing, or without the predictions that are now requested."""
    WAITING = "waiting"
    """Not begun, or interrupted before its first checkpoint."""
    DONE = "done"
    """Finished, with the requested result."""
    SKIPPED = "skipped"
    """Its combination of plugins can't be run."""


ACTIVE = (RunState.RUNNING, RunState.QUEUED)
"""A worker has the run, or an executor will start one."""


class Action(StrEnum):
    """What ``harness run`` does about a run."""

    TRAIN = "train"
    """Train from the first epoch."""
    CONTINUE = "continue"
    """Continue training from the last checkpoint."""
    PREDICT = "predict"
    """Predict and score with the trained weights; train nothing."""
    WAIT = "wait"
    """Wait for the process or the queue that has it."""
    NOTHING = "nothing"


def action_of(state: RunState, *, weights: bool = False, checkpoint: bool = False) -> Action:
    """What is to be done about a run in `state` that has final `weights`, or a `checkpoint`."""
    if state in (RunState.DONE, RunState.SKIPPED):
        return Action.NOTHING
    if state in ACTIVE:
        return Action.WAIT
    if weights:
        return Action.PREDICT
    return Action.CONTINUE if checkpoint else Action.TRAIN


@dataclass(frozen=True)
class StateOfRun:
    """A run's state, the reason for it, and what to do about it.

    `failure` is that of the last attempt that ended, if it failed, also while
    another attempt is active. `figures` is the last heartbeat. A running one has a `holder` and
    `silent_s`, the seconds since its last heartbeat, by this machine's clock. `record` is without scores.
    """

    state: RunState
    reason: str
    action: Action
    failure: Failure | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    holder: Holder | None = None
    silent_s: float | None = None
    record: Record | None = None


def state_of(folder: RunFolder, spec: RunSpec | None = None) -> StateOfRun:
    """The state of the run in `folder`, which need not exist.

    The run is done if its record has the result that `spec` asks for; None: the folder's own spec.
    HarnessError if that spec can't be read.
    """
    spec = folder.spec() if spec is None else spec
    record, damage = None, None
    try:
        record = folder.record(scores=False)
    except HarnessError as error:
        damage = Failure("start", "harness", f"its record can't be used: {error}")
    if record is not None and folder.answers(spec, record):
        return StateOfRun(RunState.DONE, "recorded", Action.NOTHING, record=record)
    last = record or folder.earlier()
    failure = damage or (_failure(last) if last is not None and last.status != "done" else None)
    weights, checkpoint = folder.weights.exists(), folder.has_checkpoint()
    figures, holder = folder.progress(), folder.holder()

    def in_state(state: RunState, reason: str, silent_s: float | None = None) -> StateOfRun:
        action = action_of(state, weights=weights, checkpoint=checkpoint)
        return StateOfRun(state, reason, action, failure, figures, holder, silent_s, record)

    if holder is not None:
        heard = folder.heard()
        silent_s = None if heard is None else max(0.0, time.time() - heard)
        return in_state(RunState.RUNNING, "another process is running it", silent_s)
    if folder.cancelled():
        return in_state(RunState.CANCELLED, "cancelled by harness cancel")
    if (queue := _queue(folder)) is not None:
        return in_state(RunState.QUEUED, f"submitted to {queue}")
    if damage is not None:
        return in_state(RunState.FAILED, damage.message)
    if record is not None and record.status == "done":
        return in_state(RunState.OUTDATED, _outdated(spec, record, weights=weights))
    if last is not None and last.status != "done":
        return in_state(RunState.FAILED, failure_reason(last))
    if weights:
        return in_state(RunState.STOPPED, "stopped after training, before its record was written")
    if checkpoint:
        epoch = figures.get("epoch")
        return in_state(
            RunState.STOPPED, f"stopped in epoch {epoch}" if epoch else "stopped; has a checkpoint"
        )
    return in_state(RunState.WAITING, "planned, not begun")


def _failure(record: Record) -> Failure:
    return record.failure or Failure("start", "harness", record.status)


def failure_reason(record: Record) -> str:
    """Why the attempt of a failure's `record` failed, with its status if the message does not mention it."""
    message = _failure(record).message or record.status
    named = record.status == "failed" or record.status.replace("-", " ") in message
    return message if named or message == record.status else f"{record.status}: {message}"


def _queue(folder: RunFolder) -> str | None:
    """The queue that has the run: submitted later than anything a worker wrote; None if none."""
    submission = folder.submitted()
    if submission is None or not submission.get("leaves"):
        return None
    written = max((folder.stamp() or 0) / 1e9, folder.heard() or 0.0)
    if submission.get("at", 0.0) <= written:
        return None
    return f"{submission.get('executor', '')} as {submission.get('handle', '')}"


def _outdated(spec: RunSpec, record: Record, *, weights: bool) -> str:
    same = record.keys == spec.keys
    reason = "its predictions were not kept" if same else "metrics or post-processing changed"
    # Its record came from another machine, or somebody deleted its weights.
    return reason if weights else f"{reason}, and its weights are missing"
