"""``harness retry LEADERBOARD``: run failed runs again, and nothing else."""

from __future__ import annotations

import argparse
from functools import partial

from harness.cli.support.arguments import open_session
from harness.cli.verbs import run as runs

NAME = "retry"
SUMMARY = "run failed runs again"

BLAMES = ("plugin", "data", "resource", "harness")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `run`, and the blame of the failures."""
    parser.add_argument(
        "--blame",
        metavar="CAUSE",
        action="append",
        choices=BLAMES,
        help=f"only failures caused by CAUSE: {', '.join(BLAMES)} (repeatable)",
    )
    runs.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the failed runs of the selection; exit code 1 if one fails again."""
    return runs.launch(args, partial(open_session(args).retry, blame=args.blame or ()))
