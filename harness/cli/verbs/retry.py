"""``harness retry LEADERBOARD``: run again what failed, and nothing else."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from harness.cli.verbs import run as runs
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.cli.support.board import OpenLeaderboard
    from harness.plan.plan import PlannedRun

NAME = "retry"
SUMMARY = "run again what failed"

BLAMES = ("plugin", "data", "resource", "harness")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` takes, and whose failures."""
    parser.add_argument(
        "--blame",
        metavar="WHOM",
        action="append",
        choices=BLAMES,
        help=f"only failures of these: {', '.join(BLAMES)} (repeatable)",
    )
    runs.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Run the failed ones of the selection; exit code 1 if one fails again."""

    def failed(board: OpenLeaderboard, planned: PlannedRun) -> bool:
        if not planned.id or planned.state == "done":
            return False
        try:
            record = board.runs.run(planned.id).failure()
        except HarnessError:
            # Damaged: nothing tells that it had failed.
            return False
        if record is None or record.failure is None:
            return False
        return not args.blame or record.failure.get("blame") in args.blame

    return runs.carry_out(args, failed)
