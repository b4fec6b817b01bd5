"""The index of records: faster, never another answer."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import made_records
import pytest

from harness.errors import HarnessError
from harness.store import index as module
from harness.store.index import Index
from harness.store.record import Record, to_line
from harness.store.runs import RunFolder


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORTHWHILE", 1)


def finished(root: Path, record: Record) -> RunFolder:
    folder = RunFolder(root / record.run_id)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.finish(record)
    return folder


def indexed(root: Path) -> tuple[RunFolder, Record]:
    """A run and its record, which is in the index."""
    record = made_records.quick(patients=2)[0]
    folder = finished(root, record)
    first = Index(root / "index")
    assert first.record(folder) == folder.record()
    first.save()
    return folder, record


def test_a_record_of_the_index_is_that_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a table would change by being shown twice."""
    folder, record = indexed(tmp_path)
    monkeypatch.setattr(RunFolder, "record", lambda self: pytest.fail("read the run's own files"))
    second = Index(tmp_path / "index")
    found = second.record(folder)
    assert found is not None
    assert found.header() == record.header()
    assert sorted(found.cases, key=str) == sorted(record.cases, key=str)
    assert second.line(found) == to_line(record)


def test_a_run_that_was_scored_anew_is_read_anew(tmp_path: Path) -> None:
    folder, record = indexed(tmp_path)
    finished(tmp_path, replace(record, cases=record.cases[:5]))
    found = Index(tmp_path / "index").record(folder)
    assert found is not None
    assert len(found.cases) == 5


def test_scores_that_were_edited_are_read_anew(tmp_path: Path) -> None:
    folder, _ = indexed(tmp_path)
    path = folder.path / "cases.jsonl"
    path.write_text(path.read_text().partition("\n")[0] + "\n")
    found = Index(tmp_path / "index").record(folder)
    assert found is not None
    assert len(found.cases) == 1


def test_a_run_that_is_gone_or_damaged_is_not_remembered(tmp_path: Path) -> None:
    """A leaderboard must not rank what cannot be shown any more."""
    folder, _ = indexed(tmp_path)
    (folder.path / "record.json").write_text("{")
    with pytest.raises(HarnessError):
        Index(tmp_path / "index").record(folder)
    folder.reopen()
    assert Index(tmp_path / "index").record(folder) is None


@pytest.mark.parametrize("content", ["", "nonsense\n", "\xff\x00", None])
def test_a_damaged_index_is_as_good_as_none(tmp_path: Path, content: str | None) -> None:
    folder, _ = indexed(tmp_path)
    path = tmp_path / "index"
    text = path.read_text()
    path.write_bytes(text[:-40].encode() if content is None else content.encode("latin-1"))
    assert Index(path).record(folder) == folder.record()


def test_an_index_of_another_layout_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an update its lines could lack a field that tables show."""
    folder, _ = indexed(tmp_path)
    monkeypatch.setattr(module, "LAYOUT", "another")
    monkeypatch.setattr(module, "from_line", lambda line: pytest.fail("read a line of another layout"))
    assert Index(tmp_path / "index").record(folder) == folder.record()


def test_another_record_of_the_same_run_has_no_line(tmp_path: Path) -> None:
    """A committed result of a run that failed since must be written as it was committed."""
    folder, record = indexed(tmp_path)
    index = Index(tmp_path / "index")
    index.record(folder)
    assert index.line(replace(record, attempts=7)) is None


def test_scores_that_a_line_would_lose_are_not_indexed(tmp_path: Path) -> None:
    """The same score twice counts twice; a line has room for one."""
    record = made_records.quick(patients=1)[0]
    folder = finished(tmp_path, replace(record, cases=(*record.cases, record.cases[0])))
    first = Index(tmp_path / "index")
    first.record(folder)
    first.save()
    assert not (tmp_path / "index").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    folder, record = indexed(tmp_path)
    finished(tmp_path, replace(record, attempts=2))
    again = Index(tmp_path / "index")
    again.record(folder)
    tmp_path.chmod(0o500)
    try:
        again.save()
    finally:
        tmp_path.chmod(0o700)
