"""``harness merge DIR …``: copy records of other machines into this project's folder of runs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from harness.cli.support.arguments import add_runs, open_session
from harness.errors import OK, USAGE

NAME = "merge"
SUMMARY = "copy finished runs of other machines into this project"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folders to merge."""
    parser.add_argument(
        "sources",
        metavar="DIR",
        nargs="+",
        type=Path,
        help="a folder of runs, a project, or a leaderboard's folder with records.jsonl",
    )
    parser.add_argument("--weights", action="store_true", help="also copy weights, for harness time")
    add_runs(parser)
    parser.add_argument(
        "--json", action="store_true", help="print the ids of copied and refused runs as JSON"
    )


def run(args: argparse.Namespace) -> int:
    """Copy new runs; exit code 2 if a run exists here with other scores."""
    merged = open_session(args).merge(*args.sources, weights=args.weights)
    if args.json:
        print(json.dumps(asdict(merged), indent=1))
    else:
        print(f"{len(merged.taken)} runs copied, {len(merged.same)} identical to runs here")
        if merged.completed:
            print(f"{len(merged.completed)} identical runs completed with missing predictions or weights")
        if merged.open:
            print(f"{len(merged.open)} not copied: not finished, or running here")
        for run_id in merged.conflict:
            print(f"refused {run_id}: also done here, with other scores; delete one of the two")
    return USAGE if merged.conflict else OK
