"""``harness leaderboard NAME``: rebuild and show the tables from records; needs no data and no GPU."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli import board as boards
from harness.errors import OK

NAME = "leaderboard"
SUMMARY = "rebuild and show the tables from records"

FORMATS = ("rich", "markdown", "csv", "json", "latex", "html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and what to show of it."""
    boards.add_selection(parser)
    parser.add_argument(
        "--view",
        default="summary",
        metavar="VIEW",
        help="summary (default), dice, hausdorff, clinical, groups or cost",
    )
    parser.add_argument(
        "--worst", metavar="N", type=int, help="the N worst scores instead, by the metric that ranks"
    )
    parser.add_argument(
        "--against", metavar="NAME", help="beside published figures, cell by cell: reached or missed"
    )
    parser.add_argument("--sort", metavar="COLUMN", help="another order of rows, the best first")
    parser.add_argument("--columns", metavar="A,B,…", help="only these columns of the view")
    parser.add_argument(
        "--format", default="rich", choices=FORMATS, help="how to print the view (default: rich)"
    )
    parser.add_argument("--svg", metavar="FILE", type=Path, help="save the table as a picture too")
    parser.add_argument(
        "--json", action="store_true", help="print the whole leaderboard as JSON; the same as --format json"
    )


def run(args: argparse.Namespace) -> int:
    """Rebuild the folder of the leaderboard and print a view of it."""
    from harness.cli.show import Look, rebuild, show

    board = boards.open_board(args, absent=True)
    look = Look(
        args.view,
        args.worst,
        args.sort,
        tuple(name.strip() for name in args.columns.split(",")) if args.columns else (),
        "json" if args.json else args.format,
        args.against,
    )
    show(board, rebuild(board), look, svg=args.svg)
    return OK
