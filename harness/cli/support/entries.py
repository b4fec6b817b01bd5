"""Entries as people name them, ``[SOURCE::]MODEL+LOSS[@DATASET]``, and their finished records."""

from __future__ import annotations

import argparse
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.cli.support import board as boards
from harness.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.board.board import Entry
    from harness.cli.support.board import OpenLeaderboard
    from harness.store.record import Record

SOURCE = "::"


@dataclass(frozen=True)
class FoundEntry:
    """An entry with its finished records, and where they are from if the user said it."""

    entry: Entry
    records: list[Record]
    source: str = ""

    @property
    def name(self) -> str:
        """As the user told it apart from others."""
        return f"{self.source}{SOURCE}{self.entry.name}" if self.source else self.entry.name


def add_where(parser: argparse.ArgumentParser) -> None:
    """Where to look for entries that name no source."""
    parser.add_argument(
        "--leaderboard",
        metavar="NAME",
        help="where they are (default: the first leaderboard that has them all)",
    )
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="the changes that the leaderboard was run with (repeatable)",
    )
    boards.add_runs(parser)


def find_entries(args: argparse.Namespace, texts: Sequence[str]) -> tuple[OpenLeaderboard, list[FoundEntry]]:
    """The leaderboard that has all entries in `texts`, and each with its finished records."""
    from harness.config.load import load

    file = boards.open_project(args)
    names = [args.leaderboard] if args.leaderboard else list(load(file).settings.leaderboard)
    everything: dict[Entry, list[Record]] = {}
    for name in names:
        own = copy.copy(args)
        own.leaderboard = name
        board = boards.open_board(own, absent=True)
        by_entry = of_board(board)
        chosen = [match(text, by_entry, args.verb) for text in texts]
        if all(chosen):
            return board, [FoundEntry(entry, by_entry[entry]) for entry in chosen if entry is not None]
        everything.update(by_entry)
    unknown = [text for text in texts if match(text, everything, args.verb) is None]
    wanted = ", ".join(f"'{text}'" for text in unknown or texts)
    known = {entry.name for entry in everything}
    raise ConfigError(
        f"no leaderboard has finished runs of {wanted}",
        where=args.verb,
        remedy=nearest((unknown or texts)[0], known) if known else "Run a leaderboard first.",
    )


def of_board(board: OpenLeaderboard) -> dict[Entry, list[Record]]:
    """The finished and comparable records of a leaderboard."""
    from harness.board.collect_records import collect

    return by_entry(collect(board.title, board.protocol, board.matrix, board.runs, board.folder).records)


def by_entry(records: Iterable[Record]) -> dict[Entry, list[Record]]:
    """Finished records by entry."""
    from harness.board.board import Entry

    found: dict[Entry, list[Record]] = {}
    for record in records:
        if record.status == "done":
            found.setdefault(Entry.of(record.spec), []).append(record)
    return found


def match(text: str, entries: Mapping[Entry, object], verb: str) -> Entry | None:
    """The entry that ``MODEL+LOSS[@DATASET]`` means: by labels, else by the plugins' bare names."""
    wanted, _, dataset = "".join(text.split()).partition("@")
    for bare in (False, True):
        found = [
            entry
            for entry in entries
            if wanted == f"{_name(entry.model, bare)}+{_name(entry.loss, bare)}"
            and dataset in ("", entry.dataset, entry.dataset.partition("[")[0])
        ]
        if len(found) > 1:
            several = ", ".join(f"{entry.name} @ {entry.dataset}" for entry in found)
            raise ConfigError(f"'{text}' may be any of {several}", where=verb, remedy="Say it in full.")
        if found:
            return found[0]
    return None


def _name(label: str, bare: bool) -> str:
    return (label.partition("[")[0] if bare else label).replace(" ", "")
