"""Finding entries by names such as ``[SOURCE::]MODEL+LOSS[@DATASET]``, with their finished records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.board.board import Entry
from harness.board.collect_records import collect
from harness.errors import ConfigError, nearest
from harness.session.open_leaderboard import OpenLeaderboard, open_leaderboard
from harness.session.workspace import Workspace
from harness.store.record import Record

SOURCE = "::"


@dataclass(frozen=True)
class FoundEntry:
    """An entry with its finished records, and their source if the user named one."""

    entry: Entry
    records: list[Record]
    source: str = ""

    @property
    def name(self) -> str:
        """The entry's name, after its source if there is one."""
        return f"{self.source}{SOURCE}{self.entry.name}" if self.source else self.entry.name


def find_entries(
    workspace: Workspace, names: Sequence[str], leaderboard: str | None = None, *, where: str
) -> tuple[OpenLeaderboard, list[FoundEntry]]:
    """The first leaderboard that has all entries in `names`, and each entry with its finished records.

    With `leaderboard`, only that one is searched. `where` begins the message of a ConfigError.
    """
    boards = [leaderboard] if leaderboard else list(workspace.project.settings.leaderboard)
    everything: dict[Entry, list[Record]] = {}
    for board_name in boards:
        board = open_leaderboard(workspace, board_name, absent=True)
        by_entry = records_of(board)
        matches = [match_entry(name, by_entry, where) for name in names]
        if all(matches):
            return board, [FoundEntry(entry, by_entry[entry]) for entry in matches if entry is not None]
        everything.update(by_entry)
    unknown = [name for name in names if match_entry(name, everything, where) is None]
    wanted = ", ".join(f"'{name}'" for name in unknown or names)
    known = {entry.name for entry in everything}
    raise ConfigError(
        f"no leaderboard has finished runs of {wanted}",
        where=where,
        remedy=nearest((unknown or names)[0], known) if known else "Run a leaderboard first.",
    )


def records_of(board: OpenLeaderboard) -> dict[Entry, list[Record]]:
    """The finished and comparable records of a leaderboard, by entry."""
    return group_by_entry(
        collect(board.title, board.protocol, board.matrix, board.runs, board.folder).records
    )


def group_by_entry(records: Iterable[Record]) -> dict[Entry, list[Record]]:
    """Finished records by entry."""
    groups: dict[Entry, list[Record]] = {}
    for record in records:
        if record.status == "done":
            groups.setdefault(Entry.of(record.spec), []).append(record)
    return groups


def match_entry(name: str, entries: Iterable[Entry], where: str) -> Entry | None:
    """The entry ``MODEL+LOSS[@DATASET]``, by labels or by plugin names; None if there is none."""
    entries = list(entries)
    wanted, _, dataset = "".join(name.split()).partition("@")
    for bare in (False, True):
        matches = [
            entry
            for entry in entries
            if wanted == f"{_plugin(entry.model, bare)}+{_plugin(entry.loss, bare)}"
            and dataset in ("", entry.dataset, entry.dataset.partition("[")[0])
        ]
        if len(matches) > 1:
            several = ", ".join(f"{entry.name} @ {entry.dataset}" for entry in matches)
            raise ConfigError(f"'{name}' is ambiguous: {several}", where=where, remedy="Give the full name.")
        if matches:
            return matches[0]
    return None


def _plugin(label: str, bare: bool) -> str:
    return (label.partition("[")[0] if bare else label).replace(" ", "")
