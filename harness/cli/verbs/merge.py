"""``harness merge DIR …``: bring records that other machines made into this project's folder of runs."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from harness.cli.support.arguments import add_runs, open_session
from harness.errors import OK, USAGE

NAME = "merge"
SUMMARY = "bring records of other machines together"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where they are."""
    parser.add_argument(
        "sources",
        metavar="DIR",
        nargs="+",
        type=Path,
        help="a folder of runs, a project, or a leaderboard's folder with records.jsonl",
    )
    parser.add_argument("--weights", action="store_true", help="take weights over too, for harness time")
    add_runs(parser)
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Take over what is new; exit code 2 if a run here and one there say different things."""
    merged = open_session(args).merge(*args.sources, weights=args.weights)
    if args.json:
        print(json.dumps(asdict(merged), indent=1))
    else:
        print(f"{len(merged.taken)} runs taken over, {len(merged.same)} the same as here")
        if merged.completed:
            print(f"{len(merged.completed)} the same, and given the predictions or weights that they lacked")
        if merged.open:
            print(f"{len(merged.open)} left: not finished, or at work here")
        for run_id in merged.conflict:
            print(f"refused {run_id}: done here too, with other scores; delete one of the two")
    return USAGE if merged.conflict else OK
