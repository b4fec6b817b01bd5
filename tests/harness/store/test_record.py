"""Records: what is written is read back, and what can't be read is said so."""

from pathlib import Path

import pytest
from made_specs import run_spec

from harness.errors import HarnessError
from harness.store.record import (
    CaseScore,
    Record,
    State,
    case_lines,
    from_line,
    load_run,
    parse_case_lines,
    read_records,
    to_line,
)
from harness.store.runs import RunFolder


def scores() -> tuple[CaseScore, ...]:
    rows: list[tuple[str, str, float | None, str, State]] = [
        ("LV", "dice", 0.9, "", "ok"),
        ("LV", "hd", 7.5, "mm", "ok"),
        ("RV", "hd", None, "mm", "both-empty"),
    ]
    return tuple(
        CaseScore(
            case, case[:4], case[5:] or None, "NOR", structure, metric, value, unit, state, (10.0, 1.5, 1.5)
        )
        for case in ("p001_ED", "p001_ES", "p002")
        for structure, metric, value, unit, state in rows
    )


def record(**changes: object) -> Record:
    values = {
        "run_id": "a__b__c__s0-f0__0123",
        "keys": {"train": "0123"},
        "spec": run_spec(run_id="a__b__c__s0-f0__0123", keys={"train": "0123"}),
        "status": "done",
        "cases": scores(),
        **changes,
    }
    return Record(**values)  # type: ignore[arg-type]


def test_a_line_of_records_jsonl_holds_everything() -> None:
    line = to_line(record())
    assert line.endswith("\n")
    assert line.count("\n") == 1
    back = from_line(line)
    assert back.header() == record().header()
    assert set(back.cases) == set(scores())


def test_case_lines_are_read_back_in_order() -> None:
    assert parse_case_lines(case_lines(scores())) == scores()


def test_a_finished_run_is_read_from_its_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert folder.record() is None
    folder.finish(record())
    assert folder.record() == record()
    folder.reopen()
    assert folder.record() is None


def test_a_record_of_another_schema_is_refused_with_a_remedy(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.finish(record(schema=99))
    with pytest.raises(HarnessError, match="schema 99"):
        folder.record()


@pytest.mark.parametrize("damage", ["", "{", '{"schema": 1}', '{"schema": 1, "nonsense": 2}'])
def test_a_damaged_record_names_its_place(tmp_path: Path, damage: str) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.finish(record())
    (folder.path / "record.json").write_text(damage)
    with pytest.raises(HarnessError):
        load_run(folder.path)


def test_a_damaged_line_of_records_jsonl_is_named(tmp_path: Path) -> None:
    assert read_records(tmp_path) == []
    (tmp_path / "records.jsonl").write_text(to_line(record()) + "{\n")
    with pytest.raises(HarnessError, match=r"records\.jsonl:2"):
        read_records(tmp_path)
