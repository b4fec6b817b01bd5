"""Every transition of a run's state, on made folders: nothing is trained."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_records
import pytest
from made_specs import with_protocol

from harness.contract.record import Failure
from harness.store.record import Record, Status
from harness.store.runs import RunFolder
from harness.store.state import Action, RunState, action_of, failure_reason, state_of

FAILURE = Failure("train", "resource", "out of memory")
RECORD = made_records.record([made_records.score("p1", 0.9)])
SPEC = with_protocol(replace(RECORD.spec, keys=dict(RECORD.keys)), keep_predictions=False)

Step = Callable[[RunFolder], object]


def record(status: Status = "done", **other: Any) -> Record:
    failure = None if status == "done" else FAILURE
    return replace(RECORD, spec=SPEC, status=status, failure=failure, **other)


def planned(folder: RunFolder) -> None:
    folder.plan(SPEC)


def at(folder: RunFolder, name: str, seconds_ago: float) -> None:
    moment = time.time() - seconds_ago
    os.utime(folder.path / name, (moment, moment))


def submitted(folder: RunFolder) -> None:
    folder.submit("slurm", "12_3", time.time() + 1, leaves=True)


def began(folder: RunFolder) -> None:
    """A worker took the run up and has gone: how an attempt before it had ended is set aside."""
    folder.want()
    folder.reopen()
    folder.beat({"phase": "train", "epoch": 3})
    folder.submit("slurm", "12_3", time.time() - 10, leaves=True)


def saved_a_checkpoint(folder: RunFolder) -> None:
    (folder.path / "checkpoint.pt").touch()


def saved_weights(folder: RunFolder) -> None:
    (folder.path / "checkpoint.pt").unlink(missing_ok=True)
    folder.weights.touch()


def finished(folder: RunFolder) -> None:
    saved_weights(folder)
    folder.finish(record())


def failed(folder: RunFolder) -> None:
    folder.finish(record("failed"))


def timed_out(folder: RunFolder) -> None:
    folder.finish(record("timeout"))


def rescored_elsewhere(folder: RunFolder) -> None:
    """The record is of other metrics than the spec now asks for."""
    folder.finish(record(keys={**RECORD.keys, "score": "other"}))


def lost_its_weights(folder: RunFolder) -> None:
    folder.weights.unlink()


def damaged(folder: RunFolder) -> None:
    (folder.path / "record.json").write_text("{")


CANCEL, WANT = RunFolder.cancel, RunFolder.want


@pytest.mark.parametrize(
    ("steps", "state", "reason", "action"),
    [
        ([], "waiting", "planned, not begun", "train"),
        ([planned], "waiting", "planned, not begun", "train"),
        # A run that was interrupted before its first checkpoint starts anew.
        ([planned, began], "waiting", "planned, not begun", "train"),
        ([planned, submitted], "queued", "submitted to slurm as 12_3", "wait"),
        ([planned, submitted, CANCEL], "cancelled", "cancelled by harness cancel", "train"),
        ([planned, CANCEL], "cancelled", "cancelled by harness cancel", "train"),
        ([planned, CANCEL, WANT], "waiting", "planned, not begun", "train"),
        # No record: stopped, and goes on from what was saved.
        ([planned, began, saved_a_checkpoint], "stopped", "stopped in epoch 3", "continue"),
        ([planned, saved_a_checkpoint], "stopped", "stopped; has a checkpoint", "continue"),
        (
            [planned, began, saved_weights],
            "stopped",
            "stopped after training, before its record was written",
            "predict",
        ),
        (
            [planned, began, saved_a_checkpoint, CANCEL],
            "cancelled",
            "cancelled by harness cancel",
            "continue",
        ),
        (
            [planned, began, saved_a_checkpoint, submitted],
            "queued",
            "submitted to slurm as 12_3",
            "wait",
        ),
        # A record of a failure.
        ([planned, began, failed], "failed", "out of memory", "train"),
        ([planned, began, saved_a_checkpoint, failed], "failed", "out of memory", "continue"),
        ([planned, began, saved_weights, failed], "failed", "out of memory", "predict"),
        ([planned, timed_out], "failed", "timeout: out of memory", "train"),
        ([planned, failed, submitted], "queued", "submitted to slurm as 12_3", "wait"),
        ([planned, failed, CANCEL], "cancelled", "cancelled by harness cancel", "train"),
        # A failure counts until another attempt has ended.
        ([planned, failed, began, saved_a_checkpoint], "failed", "out of memory", "continue"),
        ([planned, failed, began, finished], "done", "recorded", "nothing"),
        # A record of a result.
        ([planned, began, finished], "done", "recorded", "nothing"),
        ([planned, began, finished, lost_its_weights], "done", "recorded", "nothing"),
        ([planned, began, finished, CANCEL], "done", "recorded", "nothing"),
        (
            [planned, saved_weights, rescored_elsewhere],
            "outdated",
            "metrics or post-processing changed",
            "predict",
        ),
        (
            [planned, saved_weights, rescored_elsewhere, lost_its_weights],
            "outdated",
            "metrics or post-processing changed, and its weights are missing",
            "train",
        ),
        (
            [planned, saved_weights, rescored_elsewhere, began],
            "stopped",
            "stopped after training, before its record was written",
            "predict",
        ),
        ([planned, saved_weights, rescored_elsewhere, began, finished], "done", "recorded", "nothing"),
        ([planned, saved_weights, rescored_elsewhere, failed], "failed", "out of memory", "predict"),
        (
            [planned, saved_weights, rescored_elsewhere, CANCEL],
            "cancelled",
            "cancelled by harness cancel",
            "predict",
        ),
    ],
)
def test_transitions(tmp_path: Path, steps: list[Step], state: str, reason: str, action: str) -> None:
    folder = RunFolder(tmp_path / "run")
    if steps:
        folder.path.mkdir()
    for step in steps:
        step(folder)
    known = state_of(folder, SPEC)
    assert (known.state, known.reason, known.action) == (state, reason, action)


@pytest.mark.parametrize(
    "steps", [[], [submitted], [saved_a_checkpoint], [CANCEL], [failed], [damaged], [rescored_elsewhere]]
)
def test_what_a_process_holds_is_running_until_it_has_a_result(tmp_path: Path, steps: list[Step]) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    planned(folder)
    for step in steps:
        step(folder)
    with folder.locked():
        known = state_of(folder)
        assert (known.state, known.action, known.silent_s) == ("running", "wait", None)
        assert known.holder is not None
        folder.beat({"epoch": 2})
        at(folder, "progress.json", 300)
        known = state_of(folder)
        assert known.figures == {"epoch": 2}
        assert (known.silent_s or 0) > 290
        folder.finish(record())
        assert state_of(folder).state == "done"
    assert state_of(folder).holder is None


def test_a_damaged_record_is_a_failure_of_the_harness(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    planned(folder)
    damaged(folder)
    known = state_of(folder)
    assert (known.state, known.action) == ("failed", "train")
    assert known.failure is not None
    assert known.failure.blame == "harness"
    assert known.reason.startswith("its record can't be used: ")
    folder.cancel()
    assert state_of(folder).state == "cancelled"


def test_the_failure_stays_known_while_the_next_attempt_is_under_way(tmp_path: Path) -> None:
    """`harness retry` asks for it, also where the next attempt was cancelled, or waits in a queue."""
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    for step in (planned, failed, began, submitted):
        step(folder)
    assert (state_of(folder).state, state_of(folder).failure) == ("queued", FAILURE)
    folder.cancel()
    assert (state_of(folder).state, state_of(folder).failure) == ("cancelled", FAILURE)
    with folder.locked():
        assert (state_of(folder).state, state_of(folder).failure) == ("running", FAILURE)
        folder.finish(record())
    assert state_of(folder).failure is None


def test_what_is_wanted_decides_whether_a_result_is_outdated(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    planned(folder)
    finished(folder)
    assert state_of(folder).state == "done"
    keeping = with_protocol(SPEC, keep_predictions=True)
    known = state_of(folder, keeping)
    assert (known.state, known.reason) == ("outdated", "its predictions were not kept")
    folder.predictions.mkdir()
    assert state_of(folder, keeping).state == "done"
    known = state_of(folder, replace(SPEC, keys={**SPEC.keys, "score": "other"}))
    assert (known.state, known.reason) == ("outdated", "metrics or post-processing changed")


def test_a_submission_without_a_queue_leaves_a_run_waiting(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    planned(folder)
    folder.submit("local", "4711", time.time() + 1, leaves=False)
    assert state_of(folder).state == "waiting"


@pytest.mark.parametrize("state", RunState)
def test_every_state_has_an_action(state: RunState) -> None:
    actions = {
        action_of(state, weights=weights, checkpoint=checkpoint)
        for weights in (False, True)
        for checkpoint in (False, True)
    }
    if state in ("done", "skipped"):
        assert actions == {Action.NOTHING}
    elif state in ("running", "queued"):
        assert actions == {Action.WAIT}
    else:
        assert actions == {Action.TRAIN, Action.CONTINUE, Action.PREDICT}


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        ("failed", "loss is NaN", "loss is NaN"),
        ("timeout", "gone", "timeout: gone"),
        ("out-of-memory", "out of memory in 'train'", "out of memory in 'train'"),
        ("interrupted", "ended by SIGKILL", "interrupted: ended by SIGKILL"),
        ("interrupted", None, "interrupted"),
    ],
)
def test_the_reason_of_a_failure_names_its_kind(status: Status, message: str | None, reason: str) -> None:
    failure = None if message is None else Failure("train", "plugin", message)
    assert failure_reason(replace(RECORD, status=status, failure=failure)) == reason
