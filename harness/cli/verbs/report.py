"""``harness report NAME``: the leaderboard as one HTML file, and its plots as pictures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from harness.cli.support import board as boards
from harness.errors import OK

NAME = "report"
SUMMARY = "write the leaderboard as one HTML file, with plots"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and where to write."""
    boards.add_selection(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="the page (default: report.html in the folder of the leaderboard)",
    )
    parser.add_argument(
        "--plots", metavar="DIR", type=Path, help="write every plot as SVG and PNG into this folder too"
    )
    parser.add_argument(
        "--embed-images",
        action="store_true",
        help="show images of datasets too whose licence does not let them be passed on: for your own use",
    )
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(args: argparse.Namespace) -> int:
    """Rebuild the folder of the leaderboard and write its report."""
    from harness.cli.support.pictures import galleries
    from harness.cli.support.show import from_here, rebuild, selected
    from harness.page import page
    from harness.page.plots.draw import engine, write_plots
    from harness.store.atomic import write_text

    engine()  # What is missing is said before anything is written.
    board = boards.open_board(args, absent=True)
    built = rebuild(board)
    shown = selected(board)
    pictures = galleries(board, built.board, shown, args)
    file = args.output or board.folder / "report.html"
    write_text(file, page(built.board, built.published, shown, pictures))
    plots = write_plots(args.plots, built.board, built.published, shown, pictures) if args.plots else []
    size = file.stat().st_size
    if args.json:
        print(json.dumps({"page": str(file), "bytes": size, "plots": plots}, indent=1))
        return OK
    print(f"Written to {from_here(file)} ({size / 1e6:.1f} MB)")
    if args.plots:
        print(f"{len(plots)} plots as SVG and PNG in {from_here(args.plots)}")
    return OK
