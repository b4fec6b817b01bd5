"""How far a run is, from its folder alone."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import made_records
import pytest

from harness.store.record import Record
from harness.store.runs import RunFolder
from harness.store.state import RunState, state_of
from harness.store.status import status_of


@pytest.fixture
def record() -> Record:
    record = made_records.record([made_records.score("p1", 0.9)])
    return replace(record, spec=replace(record.spec, run_id=record.run_id))


@pytest.fixture
def folder(tmp_path: Path, record: Record) -> RunFolder:
    made = RunFolder(tmp_path / record.run_id)
    made.path.mkdir()
    made.plan(record.spec)
    return made


def state(folder: RunFolder) -> RunState:
    return status_of(folder).state


def test_from_planned_to_done(folder: RunFolder, record: Record) -> None:
    assert state(folder) == "waiting"
    folder.submit("slurm", "12_3", time.time(), leaves=True)
    queued = status_of(folder)
    assert (queued.state, queued.executor, queued.handle) == ("queued", "slurm", "12_3")
    with folder.locked():
        folder.beat({"phase": "train", "epoch": 3, "epochs": 7})
        running = status_of(folder)
        assert (running.state, running.figures["epoch"]) == ("running", 3)
        assert running.host
        assert running.silent_s is not None
        assert running.silent_s < 30
    folder.finish(record)
    assert state(folder) == "done"
    assert status_of(folder).name == "unet2d + log-dice"


def test_a_failure_has_its_blame_until_the_run_is_asked_for_again(folder: RunFolder, record: Record) -> None:
    failure = made_records.failure("out of memory", "resource")
    folder.finish(replace(record, status="failed", failure=failure))
    failed = status_of(folder)
    assert (failed.state, failed.blame, failed.message) == ("failed", "resource", "out of memory")
    folder.submit("slurm", "13", time.time() + 1, leaves=True)
    assert state(folder) == "queued"


def test_without_a_queue_what_was_submitted_and_is_not_held_has_stopped(folder: RunFolder) -> None:
    folder.submit("local", "4711", time.time(), leaves=False)
    assert state(folder) == "waiting"
    (folder.path / "checkpoint.pt").touch()
    assert state(folder) == "stopped"
    folder.cancel()
    assert state(folder) == "cancelled"


def test_a_result_under_other_keys_is_outdated(folder: RunFolder, record: Record) -> None:
    folder.finish(replace(record, keys={**record.keys, "split": "another"}))
    assert state(folder) == "outdated"


def test_silence_is_told(folder: RunFolder) -> None:
    with folder.locked():
        folder.beat({"phase": "train"})
        past = time.time() - 300
        os.utime(folder.path / "progress.json", (past, past))
        assert (status_of(folder).silent_s or 0) > 290


def test_a_damaged_record_is_a_failure_that_says_so(folder: RunFolder) -> None:
    (folder.path / "record.json").write_text("{")
    damaged = status_of(folder)
    assert (damaged.state, damaged.blame) == ("failed", "harness")
    assert "can't be used" in damaged.message


def test_a_failure_is_remembered_while_the_next_attempt_has_not_ended(
    folder: RunFolder, record: Record
) -> None:
    failure = made_records.failure("out of memory", "resource")
    folder.finish(replace(record, status="failed", failure=failure, cases=()))
    folder.reopen()
    found = status_of(folder)
    assert (found.state, found.blame) == ("failed", "resource")
    assert state_of(folder).failure == failure
    folder.finish(record)
    assert state(folder) == "done"
    assert state_of(folder).failure is None


def test_a_job_that_queued_itself_again_is_queued(folder: RunFolder) -> None:
    """As one does that met its time limit: it was heard of, and is asked for again after that."""
    folder.submit("slurm", "12_3", time.time() - 100, leaves=True)
    folder.beat({"phase": "train"})
    os.utime(folder.path / "progress.json", (time.time() - 50,) * 2)
    assert state(folder) == "waiting"
    folder.submit("slurm", "12_3", time.time(), leaves=True)
    assert state(folder) == "queued"
