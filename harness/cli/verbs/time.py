"""``harness time A B …``: measure the prediction time of entries in turns."""

from __future__ import annotations

import argparse
import json

from harness.cli.support.arguments import add_where, open_session
from harness.errors import OK

NAME = "time"
SUMMARY = "time the prediction of finished entries in turns, so that drift affects all alike"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Entries, volumes and rounds."""
    parser.add_argument("entries", nargs="+", metavar="MODEL+LOSS", help="finished entry of the leaderboard")
    add_where(parser)
    parser.add_argument(
        "--data", metavar="NAME=PATH", action="append", default=[], help="folder of the dataset"
    )
    parser.add_argument(
        "--volumes", metavar="N", type=int, default=10, help="number of test volumes (default: 10)"
    )
    parser.add_argument(
        "--rounds", metavar="N", type=int, default=5, help="passes over the volumes (default: 5)"
    )
    parser.add_argument("--json", action="store_true", help="print every duration as JSON")


def run(args: argparse.Namespace) -> int:
    """Print median, 95th percentile and the ratio to the fastest."""
    from harness.cli.support.progress import Progress
    from harness.cli.support.terminal import print_tables

    with Progress(quiet=args.json) as progress:
        latencies = open_session(args).time(
            *args.entries,
            leaderboard=args.leaderboard,
            volumes=args.volumes,
            rounds=args.rounds,
            on_event=progress,
        )
    if args.json:
        answer = {"volumes": latencies.cases, "shared": latencies.shared, "seconds": latencies.seconds}
        print(json.dumps(answer))
    else:
        print_tables(latencies.tables)
    return OK
