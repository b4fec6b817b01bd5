"""An index of the records of a folder of runs, in one file: thousands are read five times as fast.

Each line has a run's id, a stamp of the two files of its record, and the record as `to_line` writes it. A
run whose files have changed since is read from them. The index may be deleted at any time.
"""

from __future__ import annotations

import contextlib
from dataclasses import fields
from pathlib import Path

from harness.contract.migrations import SCHEMA
from harness.errors import HarnessError
from harness.store.atomic import digest, write_text
from harness.store.record import CaseScore, Record, from_line, to_line
from harness.store.runs import RunFolder

LAYOUT = digest([SCHEMA, *(f.name for f in (*fields(Record), *fields(CaseScore)))])
"""The first line; an index with another layout is not read."""

WORTHWHILE = 100
"""An index of fewer records is not written."""


class Index:
    """The index in file `path`; `record` brings it up to date, run by run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)
        self._current: dict[str, tuple[str, str]] = {}
        self._read: dict[str, Record] = {}

    def record(self, run: RunFolder) -> Record | None:
        """The record of `run`, None while there is none; HarnessError as `RunFolder.record`."""
        stamp = _stamp(run.path)
        known = self._known.get(run.id)
        if known is not None and known[0] == stamp:
            # A line that can't be parsed, such as one of another version, is read from the run itself.
            with contextlib.suppress(HarnessError, ValueError, TypeError, KeyError):
                return self._noted(run, from_line(known[1]), known)
        record = run.record()
        if record is not None and stamp is not None and (line := _line(record)) is not None:
            self._noted(run, record, (stamp, line))
        return record

    def _noted(self, run: RunFolder, record: Record, entry: tuple[str, str]) -> Record:
        self._current[run.id], self._read[run.id] = entry, record
        return record

    def line(self, record: Record) -> str | None:
        """The line of ``records.jsonl`` of a record that `record` gave, where it is known."""
        # The id is not enough: a committed record may be that of a run that has failed since.
        return self._current[record.run_id][1] + "\n" if self._read.get(record.run_id) is record else None

    def save(self) -> None:
        """Write the index if it is large and has changed. Errors are ignored: records are not lost."""
        if len(self._current) >= WORTHWHILE and self._current != self._known:
            text = (
                LAYOUT
                + "\n"
                + "".join(f"{id_}\t{stamp}\t{line}\n" for id_, (stamp, line) in self._current.items())
            )
            with contextlib.suppress(HarnessError):
                write_text(self._path, text)


def _read(path: Path) -> dict[str, tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):
        return {}
    if lines[0] != LAYOUT:
        return {}
    parts = (line.split("\t", 2) for line in lines)
    return {part[0]: (part[1], part[2]) for part in parts if len(part) == 3}


def _stamp(folder: Path) -> str | None:
    """A string that changes whenever one of a record's files is written."""
    try:
        stats = [(folder / name).stat() for name in ("record.json", "cases.jsonl")]
    except OSError:
        return None
    return ":".join(f"{stat.st_mtime_ns}.{stat.st_size}.{stat.st_ino}" for stat in stats)


def _line(record: Record) -> str | None:
    """The record as a line; None if a line can't hold all of it."""
    if "\t" in record.run_id or len({(s.case, s.metric, s.structure) for s in record.cases}) != len(
        record.cases
    ):
        return None
    try:
        return to_line(record).rstrip("\n")
    except ValueError:
        return None
