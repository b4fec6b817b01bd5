"""Entries as people name them on the command line, ``MODEL+LOSS[@DATASET]``, and their records."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from harness.cli import board as boards
from harness.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.board import Board
    from harness.rank.board import Entry
    from harness.store.record import Record


def add_where(parser: argparse.ArgumentParser) -> None:
    """Where to look for entries."""
    parser.add_argument(
        "--leaderboard",
        metavar="NAME",
        help="where they are (default: the first leaderboard that has them all)",
    )
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    boards.add_runs(parser)


def find_entries(args: argparse.Namespace) -> tuple[Board, list[tuple[Entry, list[Record]]]]:
    """The leaderboard that has all of ``args.entries``, and each entry with its finished records."""
    from harness.config.load import load
    from harness.rank.board import Entry
    from harness.rank.collect import collect

    file = boards.open_project(args)
    names = [args.leaderboard] if args.leaderboard else list(load(file).settings.leaderboard)
    known: set[str] = set()
    every: set[Entry] = set()
    for name in names:
        args.leaderboard = name
        board = boards.open_board(args, absent=True)
        found = collect(board.title, board.protocol, board.matrix, board.runs, board.folder)
        by_entry: dict[Entry, list[Record]] = {}
        for record in found.records:
            if record.status == "done":
                by_entry.setdefault(Entry.of(record.spec), []).append(record)
        chosen = [_match(text, list(by_entry), args.verb) for text in args.entries]
        if all(chosen):
            return board, [(entry, by_entry[entry]) for entry in chosen if entry is not None]
        known |= {entry.name for entry in by_entry}
        every |= set(by_entry)
    unknown = [text for text in args.entries if _match(text, sorted(every, key=str), args.verb) is None]
    wanted = ", ".join(f"'{text}'" for text in unknown or args.entries)
    raise ConfigError(
        f"no leaderboard has finished runs of {wanted}",
        where=args.verb,
        remedy=nearest((unknown or args.entries)[0], known) if known else "Run a leaderboard first.",
    )


def _match(text: str, entries: Sequence[Entry], verb: str) -> Entry | None:
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
    return label.partition("[")[0] if bare else "".join(label.split())
