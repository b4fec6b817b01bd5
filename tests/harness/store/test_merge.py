"""Records of several machines: each taken over whole, conflicts refused by name, nothing lost."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import made_records
import pytest

from harness.contract.local import LocalPaths
from harness.errors import HarnessError
from harness.store.merge import merge
from harness.store.record import RECORDS, TABLE, Record, to_line
from harness.store.runs import Busy, RunFolder, RunsFolder


def made(value: float = 0.9, **changes: object) -> Record:
    record = made_records.record([made_records.score("p1", value), made_records.score("p2", 0.8)])
    return replace(record, **changes)  # type: ignore[arg-type]


def put(runs: Path, record: Record) -> RunFolder:
    folder = RunsFolder(runs).run(record.run_id)
    folder.path.mkdir(parents=True)
    folder.plan(record.spec, LocalPaths("/over/there", "/over/there/cache", "/over/there/manifest"))
    folder.finish(record)
    folder.predictions.mkdir()
    (folder.predictions / "p1.nii.gz").write_bytes(b"labels")
    folder.weights.write_bytes(b"weights")
    return folder


def test_a_run_is_taken_over_with_its_predictions_and_without_its_machine(tmp_path: Path) -> None:
    record = made()
    put(tmp_path / "there" / "runs", record)
    here = RunsFolder(tmp_path / "here")
    assert merge([tmp_path / "there"], here).taken == (record.run_id,)
    taken = here.run(record.run_id)
    assert taken.record() == RunsFolder(tmp_path / "there" / "runs").run(record.run_id).record()
    assert (taken.predictions / "p1.nii.gz").read_bytes() == b"labels"
    assert sorted(path.name for path in taken.path.iterdir() if path.name[0] != ".") == [
        *("cases.jsonl", "predictions", "record.json", "spec.json")
    ]
    assert not taken.busy()
    assert [path.name for path in here.path.iterdir()] == [record.run_id]
    assert merge([tmp_path / "there" / "runs"], here).same == (record.run_id,)


def test_weights_come_along_if_they_are_asked_for(tmp_path: Path) -> None:
    record = made()
    put(tmp_path / "there", record)
    merge([tmp_path / "there"], RunsFolder(tmp_path / "here"), weights=True)
    assert RunsFolder(tmp_path / "here").run(record.run_id).weights.read_bytes() == b"weights"


def test_other_scores_are_refused_by_name_and_other_times_are_not(tmp_path: Path) -> None:
    record = made(time_s={"train": 3.0})
    put(tmp_path / "here", record)
    put(tmp_path / "slower", made(time_s={"train": 9.0}))
    put(tmp_path / "other", made(0.7))
    runs = RunsFolder(tmp_path / "here")
    before = runs.run(record.run_id).record()
    assert merge([tmp_path / "slower"], runs).same == (record.run_id,)
    assert merge([tmp_path / "other"], runs).conflict == (record.run_id,)
    assert runs.run(record.run_id).record() == before


@pytest.mark.parametrize("here", ["failed", "begun"])
def test_a_finished_run_stands_for_one_that_is_not(tmp_path: Path, here: str) -> None:
    record = made()
    put(tmp_path / "there", record)
    own = put(tmp_path / "here", made(status="failed", failure=made_records.failure("no", "resource")))
    if here == "begun":
        (own.path / "record.json").unlink()
    assert merge([tmp_path / "there"], RunsFolder(tmp_path / "here")).taken == (record.run_id,)
    found = own.record()
    assert found is not None
    assert found.status == "done"


def test_what_is_not_finished_there_or_at_work_here_is_left(tmp_path: Path) -> None:
    record = made()
    put(tmp_path / "there", made(status="failed", failure=made_records.failure("no", "plugin")))
    runs = RunsFolder(tmp_path / "here")
    assert merge([tmp_path / "there"], runs).open == (record.run_id,)
    assert not runs.run(record.run_id).path.exists()
    shutil.rmtree(tmp_path / "there")
    put(tmp_path / "there", record)
    own = runs.run(record.run_id)
    own.path.mkdir(parents=True)
    own.plan(record.spec)
    with own.locked():
        assert merge([tmp_path / "there"], runs).open == (record.run_id,)
    assert own.record() is None


def test_a_leaderboards_records_become_runs(tmp_path: Path) -> None:
    record = made()
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / RECORDS).write_text(to_line(record) + "\n")
    runs = RunsFolder(tmp_path / "here")
    assert merge([tmp_path / "quick"], runs).taken == (record.run_id,)
    assert [run.id for run in runs.all()] == [record.run_id]
    found = runs.run(record.run_id).record()
    assert found is not None
    assert found.cases == record.cases


def test_what_a_leaderboard_left_out_stays_there(tmp_path: Path) -> None:
    """Taken over, it would be as new as what is ranked, and could push that out of the tables."""
    record = made()
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / RECORDS).write_text(to_line(record) + to_line(made(run_id="apart")))
    (tmp_path / "quick" / TABLE).write_text('{"left_out": [{"run_id": "apart"}]}')
    assert merge([tmp_path / "quick"], RunsFolder(tmp_path / "here")).taken == (record.run_id,)


def test_an_empty_folder_is_told_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match=r"holds no runs and no records\.jsonl"):
        merge([tmp_path], RunsFolder(tmp_path / "here"))


@pytest.mark.parametrize("run_id", ["", ".", "..", "../victim", "/VICTIM", "a/b", ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused_and_nothing_is_touched(tmp_path: Path, run_id: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious.txt").touch()
    (tmp_path / "runs").mkdir()
    (tmp_path / "other").mkdir()
    record = made(run_id=run_id.replace("/VICTIM", str(victim)))
    (tmp_path / "other" / RECORDS).write_text(to_line(record) + "\n")
    put(tmp_path / "good", made())
    with pytest.raises(HarnessError, match="not that of a run by this name"):
        merge([tmp_path / "good", tmp_path / "other"], RunsFolder(tmp_path / "runs"))
    assert (victim / "precious.txt").exists()
    assert list((tmp_path / "runs").iterdir()) == []


def test_another_runs_record_in_a_folder_is_refused(tmp_path: Path) -> None:
    folder = put(tmp_path / "there", made())
    folder.path.rename(tmp_path / "there" / "renamed")
    with pytest.raises(HarnessError, match="not that of a run by this name"):
        merge([tmp_path / "there"], RunsFolder(tmp_path / "here"))


def test_what_a_worker_takes_up_meanwhile_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While files are copied the run is held, so that no worker can begin with it."""
    from harness.store import merge as module

    record = made()
    put(tmp_path / "there", record)
    runs = RunsFolder(tmp_path / "here")
    own = runs.run(record.run_id)
    seen = []
    copy = module._copy

    def watched(source: Path, target: Path) -> None:
        with pytest.raises(Busy), own.locked():
            pass
        seen.append(target.name)
        copy(source, target)

    monkeypatch.setattr(module, "_copy", watched)
    assert merge([tmp_path / "there"], runs).taken == (record.run_id,)
    assert seen


def test_predictions_and_weights_that_were_missing_are_added(tmp_path: Path) -> None:
    record = made()
    put(tmp_path / "there", record)
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / RECORDS).write_text(to_line(record) + "\n")
    runs = RunsFolder(tmp_path / "here")
    own = runs.run(record.run_id)
    assert merge([tmp_path / "quick"], runs).taken == (record.run_id,)
    assert not own.predictions.exists()
    assert merge([tmp_path / "there"], runs).completed == (record.run_id,)
    assert (own.predictions / "p1.nii.gz").read_bytes() == b"labels"
    assert not own.weights.exists()
    assert merge([tmp_path / "there"], runs, weights=True).completed == (record.run_id,)
    assert own.weights.read_bytes() == b"weights"
    assert merge([tmp_path / "there"], runs, weights=True).same == (record.run_id,)


def test_a_mistaken_folder_is_told_before_anything_is_taken(tmp_path: Path) -> None:
    put(tmp_path / "there", made())
    (tmp_path / "empty").mkdir()
    with pytest.raises(HarnessError, match="holds no runs"):
        merge([tmp_path / "there", tmp_path / "empty"], RunsFolder(tmp_path / "here"))
    assert not (tmp_path / "here").exists()
