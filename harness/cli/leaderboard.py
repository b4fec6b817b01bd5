"""``harness leaderboard NAME``: rebuild and show the tables from records; needs no data and no GPU."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli import board as boards
from harness.errors import OK

NAME = "leaderboard"
SUMMARY = "rebuild and show the tables from records"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and what to show of it."""
    boards.add_selection(parser)
    parser.add_argument(
        "--view", default="summary", metavar="VIEW", help="summary (default), dice, hausdorff or cost"
    )
    parser.add_argument("--svg", metavar="FILE", type=Path, help="save the table as a picture too")
    parser.add_argument("--json", action="store_true", help="print the leaderboard as JSON")


def run(args: argparse.Namespace) -> int:
    """Rebuild the folder of the leaderboard and print a view of it."""
    from harness.cli.show import rebuild, show

    board = boards.open_board(args, absent=True)
    show(board, rebuild(board), view=args.view, as_json=args.json, svg=args.svg)
    return OK
