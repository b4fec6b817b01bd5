"""Records as they lie on disk: those of the folder of runs, and those committed with a leaderboard."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.store.index import Index
from harness.store.record import Record, read_records, runs_left_out
from harness.store.runs import RunFolder

COMMITTED, LEFT_OUT = 0.0, -1.0
"""Stand for the time at which committed records were written, which is not known.

Those that the committed tables left out come last, so that without a folder of runs the committed
records give the same tables again.
"""


@dataclass(frozen=True)
class StoredRecord:
    """A record and when it was written, in seconds since the epoch; a `committed` one has no such time."""

    record: Record
    written: float
    committed: bool = False


def records_of_runs(folders: Iterable[RunFolder], index: Index) -> Iterator[StoredRecord]:
    """The records in these run folders, but for damaged ones: they are no results."""
    for folder in folders:
        try:
            record = index.record(folder)
        except HarnessError:
            continue
        if record is not None:
            yield StoredRecord(record, (folder.path / "record.json").stat().st_mtime)


def committed_records(folder: Path, known: Container[str]) -> Iterator[StoredRecord]:
    """The committed records in a leaderboard's folder, but for those of `known` runs."""
    left_out = runs_left_out(folder)
    for record in read_records(folder, known):
        yield StoredRecord(record, LEFT_OUT if record.run_id in left_out else COMMITTED, committed=True)
