"""Records as files: those of a run folder, and ``records.jsonl``."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from dataclasses import asdict, fields
from operator import itemgetter
from pathlib import Path
from typing import Any

from harness.contract.record import CaseScore as CaseScore
from harness.contract.record import Record as Record
from harness.contract.record import State as State
from harness.contract.record import Status as Status
from harness.errors import HarnessError
from harness.store.atomic import canonical_json, read_json


def case_lines(cases: Iterable[CaseScore]) -> str:
    """The text of ``cases.jsonl``."""
    return "".join(canonical_json(asdict(score)) + "\n" for score in cases)


def parse_case_lines(text: str) -> tuple[CaseScore, ...]:
    """The scores in the text of a ``cases.jsonl``."""
    # As one array: line by line takes twice as long, and a table of 10,000 runs has millions.
    rows = json.loads(f"[{','.join(line for line in text.split(NEWLINE) if line)}]")
    if any(len(row) != len(FIELDS) for row in rows):
        raise ValueError("a score has fields that this version does not know")
    return tuple(
        CaseScore(case, patient, phase, group, structure, metric, value, unit, state, tuple(spacing_mm))
        for case, patient, phase, group, structure, metric, value, unit, state, spacing_mm in map(
            _in_order, rows
        )
    )


NEWLINE = "\n"
FIELDS = tuple(f.name for f in fields(CaseScore))
_in_order: itemgetter[Any] = itemgetter(*FIELDS)


def load_run(folder: Path, *, scores: bool = True) -> Record | None:
    """The record of a run folder, None while there is none; with its cases if `scores`."""
    path = folder / "record.json"
    if not path.exists():
        return None
    lines = folder / "cases.jsonl"
    try:
        cases = parse_case_lines(lines.read_text(encoding="utf-8")) if scores and lines.exists() else ()
        return Record.from_json(read_json(path), cases)
    except (ValueError, TypeError, KeyError) as error:
        raise HarnessError(
            f"is damaged: {error}", where=folder, remedy="Delete this folder and run again."
        ) from error


def to_line(record: Record) -> str:
    """A record with its cases as one line of ``records.jsonl``.

    Scores are grouped by case so that a leaderboard of 200 cases stays reviewable:
    ``{case, patient, phase, group, spacing_mm, scores: {metric: {structure: [value, unit, state]}}}``.
    """
    cases: dict[str, dict[str, Any]] = {}
    for s in record.cases:
        row = cases.get(s.case)
        if row is None:
            row = cases[s.case] = {
                "case": s.case,
                "patient": s.patient,
                "phase": s.phase,
                "group": s.group,
                "spacing_mm": list(s.spacing_mm),
                "scores": {},
            }
        scores = row["scores"]
        if s.metric not in scores:
            scores[s.metric] = {}
        scores[s.metric][s.structure] = [s.value, s.unit, s.state]
    return canonical_json({**record.header(), "cases": list(cases.values())}) + "\n"


def from_line(line: str) -> Record:
    """The record in one line of ``records.jsonl``."""
    header = json.loads(line)
    rows = header.pop("cases")
    cases = (
        CaseScore(
            row["case"],
            row["patient"],
            row["phase"],
            row["group"],
            structure,
            metric,
            value,
            unit,
            state,
            tuple(row["spacing_mm"]),
        )
        for row in rows
        for metric, structures in row["scores"].items()
        for structure, (value, unit, state) in structures.items()
    )
    return Record.from_json(header, cases)


RECORDS = "records.jsonl"
TABLE = "leaderboard.json"


def read_records(folder: Path, known: Container[str] = ()) -> list[Record]:
    """The committed records of a leaderboard's folder, except `known` runs; none if there is no file."""
    path = folder / RECORDS
    return parse_records(path.read_text(encoding="utf-8"), path, known) if path.exists() else []


def parse_records(text: str, where: Path | str, known: Container[str] = ()) -> list[Record]:
    """The records in the text of the ``records.jsonl`` at `where`, except `known` runs."""
    records = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line or (known and _run_of(line) in known):
            continue
        try:
            records.append(from_line(line))
        except HarnessError as error:
            raise HarnessError(error.what, where=f"{where}:{number}", remedy=error.remedy) from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise HarnessError(f"is damaged: {error}", where=f"{where}:{number}", remedy=MEND) from error
    return records


def compared_records(folder: Path) -> list[Record]:
    """The committed records of a folder, except those that its tables leave out as not comparable."""
    return read_records(folder, runs_left_out(folder))


def runs_left_out(folder: Path) -> set[str]:
    """The runs that the committed ``leaderboard.json`` of a folder lists as left out."""
    path = folder / TABLE
    return parse_left_out(path.read_bytes(), path) if path.exists() else set()


def parse_left_out(text: str | bytes, where: Path | str) -> set[str]:
    """The runs that the text of the ``leaderboard.json`` at `where` lists as left out."""
    try:
        table = json.loads(text)
        if not isinstance(table, dict):
            raise ValueError("not a table")
        return {str(entry["run_id"]) for entry in table.get("left_out", ())}
    except (ValueError, TypeError, KeyError) as error:
        raise HarnessError(f"is damaged: {error}", where=where, remedy=MEND) from error


MEND = "Restore it, or delete it and rebuild."


def _run_of(line: str) -> str | None:
    """The run of a line as `to_line` writes it, without parsing all of it; None for another format."""
    start = line.find(RUN_ID)
    end = line.find('"', start + len(RUN_ID))
    return line[start + len(RUN_ID) : end] if start >= 0 else None


RUN_ID = '"run_id":"'
