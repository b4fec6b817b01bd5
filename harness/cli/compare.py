"""``harness compare A B …``: entries side by side, paired by patient."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli import board as boards
from harness.errors import OK, ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.rank.board import Entry
    from harness.store.record import Record

NAME = "compare"
SUMMARY = "compare entries with paired differences by patient"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two or more entries, and where to look for them."""
    parser.add_argument(
        "entries", nargs="+", metavar="MODEL+LOSS", help="the first is compared with each of the others"
    )
    parser.add_argument(
        "--leaderboard",
        metavar="NAME",
        help="where they are (default: the first leaderboard that has them all)",
    )
    parser.add_argument("--set", dest="overrides", metavar="KEY=VALUE", action="append", default=[])
    parser.add_argument("--runs", metavar="DIR", type=Path)
    parser.add_argument(
        "--metric", dest="metrics", metavar="NAME", action="append", help="only these (repeatable)"
    )
    parser.add_argument("--json", action="store_true", help="print the comparisons as JSON")


def run(args: argparse.Namespace) -> int:
    """Print a table for each pair."""
    from harness.rank.compare import compare
    from harness.report.as_json import comparison_json
    from harness.report.terminal import to_terminal
    from harness.report.views import comparison

    if len(args.entries) < 2:
        raise ConfigError("needs two entries or more", where="compare", remedy="Say for example A+x B+x.")
    first, *others = _find(args)
    compared = [
        compare(first[1], records, metrics=args.metrics, names=(first[0].name, entry.name))
        for entry, records in others
    ]
    if args.json:
        print(json.dumps([comparison_json(one) for one in compared], indent=1, allow_nan=False))
    else:
        from rich.console import Console

        Console(highlight=False).print(to_terminal([comparison(one) for one in compared]))
    return OK


def _find(args: argparse.Namespace) -> list[tuple[Entry, list[Record]]]:
    """The named entries with their records, of one leaderboard."""
    from harness.config.load import load
    from harness.rank.board import Entry
    from harness.rank.collect import collect

    file = boards.open_project(args)
    names = [args.leaderboard] if args.leaderboard else list(load(file).settings.leaderboard)
    known: set[str] = set()
    for name in names:
        args.leaderboard = name
        args.models, args.losses, args.datasets = [], [], []
        board = boards.open_board(args)
        found = collect(board.name, board.protocol, board.matrix, board.runs, board.folder)
        by_entry: dict[Entry, list[Record]] = {}
        for record in found.records:
            if record.status == "done":
                by_entry.setdefault(Entry.of(record.spec), []).append(record)
        chosen = [_match(text, list(by_entry)) for text in args.entries]
        if all(chosen):
            return [(entry, by_entry[entry]) for entry in chosen if entry is not None]
        known |= {entry.name for entry in by_entry}
    wanted = ", ".join(f"'{text}'" for text in args.entries)
    raise ConfigError(
        f"no leaderboard has finished runs of {wanted}",
        where="compare",
        remedy=nearest(args.entries[-1], known) if known else "Run a leaderboard first.",
    )


def _match(text: str, entries: Sequence[Entry]) -> Entry | None:
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
            raise ConfigError(f"'{text}' may be any of {several}", where="compare", remedy="Say it in full.")
        if found:
            return found[0]
    return None


def _name(label: str, bare: bool) -> str:
    return label.partition("[")[0] if bare else "".join(label.split())
