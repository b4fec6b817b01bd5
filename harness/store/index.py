"""What the records of a folder of runs say, in one file: thousands are read five times as fast.

A line a run: its id, a stamp of the two files that it was read from, and the record as
`to_line` writes it. Only a convenience: it may be deleted at any time, and a run whose files have
changed since is read from them.
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

LAYOUT = digest([SCHEMA, *(one.name for one in (*fields(Record), *fields(CaseScore)))])
"""The first line: an index of records that were laid out otherwise is not read."""

WORTHWHILE = 100
"""Records from which on the file is written."""


class Index:
    """The index in file `path`, as it was and as it is after `record` has been asked for each run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _read(path)
        self._seen: dict[str, tuple[str, str]] = {}
        self._read: dict[str, Record] = {}

    def record(self, run: RunFolder) -> Record | None:
        """The record of `run`, None while there is none; HarnessError as `RunFolder.record`."""
        stamp = _stamp(run.path)
        known = self._known.get(run.id)
        if known is not None and known[0] == stamp:
            # What can't be understood, of another version say, is read from the run itself.
            with contextlib.suppress(HarnessError, ValueError, TypeError, KeyError):
                return self._noted(run, from_line(known[1]), known)
        record = run.record()
        if record is not None and stamp is not None and (line := _line(record)) is not None:
            self._noted(run, record, (stamp, line))
        return record

    def _noted(self, run: RunFolder, record: Record, seen: tuple[str, str]) -> Record:
        self._seen[run.id], self._read[run.id] = seen, record
        return record

    def line(self, record: Record) -> str | None:
        """The line of ``records.jsonl`` of a record that `record` gave, where it is known."""
        # Not by its id alone: a committed record may stand for a run that has failed since.
        return self._seen[record.run_id][1] + "\n" if self._read.get(record.run_id) is record else None

    def save(self) -> None:
        """Keep what was seen, if it is much and new. Where that can't be written, nothing is lost."""
        if len(self._seen) >= WORTHWHILE and self._seen != self._known:
            text = (
                LAYOUT
                + "\n"
                + "".join(f"{id_}\t{stamp}\t{line}\n" for id_, (stamp, line) in self._seen.items())
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
    """Something that differs whenever one of a record's files was written anew."""
    try:
        found = [(folder / name).stat() for name in ("record.json", "cases.jsonl")]
    except OSError:
        return None
    return ":".join(f"{one.st_mtime_ns}.{one.st_size}.{one.st_ino}" for one in found)


def _line(record: Record) -> str | None:
    """The record as a line; None where a line would not tell all of it."""
    if "\t" in record.run_id or len({(s.case, s.metric, s.structure) for s in record.cases}) != len(
        record.cases
    ):
        return None
    try:
        return to_line(record).rstrip("\n")
    except ValueError:
        return None
