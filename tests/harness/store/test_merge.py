"""Records of several machines: each taken over whole, conflicts refused by name, nothing lost."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import made_records
import pytest

from harness.errors import HarnessError
from harness.store.merge import merge
from harness.store.record import RECORDS, Record, to_line
from harness.store.runs import RunFolder, RunsFolder


def made(value: float = 0.9, **changes: object) -> Record:
    record = made_records.record([made_records.score("p1", value), made_records.score("p2", 0.8)])
    return replace(record, **changes)  # type: ignore[arg-type]


def put(runs: Path, record: Record) -> RunFolder:
    folder = RunsFolder(runs).run(record.run_id)
    folder.path.mkdir(parents=True)
    folder.plan(dict(record.spec), {"root": "/over/there"})
    folder.finish(record)
    folder.predictions.mkdir()
    (folder.predictions / "p1.nii.gz").write_bytes(b"labels")
    folder.weights.write_bytes(b"weights")
    return folder


def test_a_run_is_taken_over_with_its_predictions_and_without_its_machine(tmp_path: Path) -> None:
    record = made()
    put(tmp_path / "there" / "runs", record)
    here = RunsFolder(tmp_path / "here")
    assert merge(tmp_path / "there", here).taken == (record.run_id,)
    taken = here.run(record.run_id)
    assert taken.record() == RunsFolder(tmp_path / "there" / "runs").run(record.run_id).record()
    assert (taken.predictions / "p1.nii.gz").read_bytes() == b"labels"
    assert sorted(path.name for path in taken.path.iterdir()) == [
        *("cases.jsonl", "predictions", "record.json", "spec.json")
    ]
    assert [path.name for path in here.path.iterdir()] == [record.run_id]
    assert merge(tmp_path / "there" / "runs", here).same == (record.run_id,)


def test_weights_come_along_if_they_are_asked_for(tmp_path: Path) -> None:
    record = made()
    put(tmp_path / "there", record)
    merge(tmp_path / "there", RunsFolder(tmp_path / "here"), weights=True)
    assert RunsFolder(tmp_path / "here").run(record.run_id).weights.read_bytes() == b"weights"


def test_other_scores_are_refused_by_name_and_other_times_are_not(tmp_path: Path) -> None:
    record = made(time_s={"train": 3.0})
    put(tmp_path / "here", record)
    put(tmp_path / "slower", made(time_s={"train": 9.0}))
    put(tmp_path / "other", made(0.7))
    runs = RunsFolder(tmp_path / "here")
    before = runs.run(record.run_id).record()
    assert merge(tmp_path / "slower", runs).same == (record.run_id,)
    assert merge(tmp_path / "other", runs).conflict == (record.run_id,)
    assert runs.run(record.run_id).record() == before


@pytest.mark.parametrize("here", ["failed", "begun"])
def test_a_finished_run_stands_for_one_that_is_not(tmp_path: Path, here: str) -> None:
    record = made()
    put(tmp_path / "there", record)
    own = put(tmp_path / "here", made(status="failed", failure={"blame": "resource", "message": "no"}))
    if here == "begun":
        (own.path / "record.json").unlink()
    assert merge(tmp_path / "there", RunsFolder(tmp_path / "here")).taken == (record.run_id,)
    found = own.record()
    assert found is not None
    assert found.status == "done"


def test_what_is_not_finished_there_or_at_work_here_is_left(tmp_path: Path) -> None:
    record = made()
    put(tmp_path / "there", made(status="failed", failure={"blame": "plugin", "message": "no"}))
    runs = RunsFolder(tmp_path / "here")
    assert merge(tmp_path / "there", runs).open == (record.run_id,)
    assert not runs.run(record.run_id).path.exists()
    shutil.rmtree(tmp_path / "there")
    put(tmp_path / "there", record)
    own = runs.run(record.run_id)
    own.path.mkdir(parents=True)
    own.plan(dict(record.spec))
    with own.locked():
        assert merge(tmp_path / "there", runs).open == (record.run_id,)
    assert own.record() is None


def test_a_leaderboards_records_become_runs(tmp_path: Path) -> None:
    record = made()
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / RECORDS).write_text(to_line(record) + "\n")
    runs = RunsFolder(tmp_path / "here")
    assert merge(tmp_path / "quick", runs).taken == (record.run_id,)
    assert [run.id for run in runs.all()] == [record.run_id]
    found = runs.run(record.run_id).record()
    assert found is not None
    assert found.cases == record.cases


def test_an_empty_folder_is_told_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"holds no runs and no records\.jsonl"):
        merge(tmp_path, RunsFolder(tmp_path / "here"))
