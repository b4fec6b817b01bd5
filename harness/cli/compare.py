"""``harness compare A B …``: entries side by side, paired by patient."""

from __future__ import annotations

import argparse
import json

from harness.cli.entries import add_where, find_entries
from harness.errors import OK, ConfigError

NAME = "compare"
SUMMARY = "compare entries with paired differences by patient"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two or more entries, and where to look for them."""
    parser.add_argument(
        "entries", nargs="+", metavar="MODEL+LOSS", help="the first is compared with each of the others"
    )
    add_where(parser)
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
    _, (first, *others) = find_entries(args)
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
