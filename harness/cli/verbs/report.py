"""``harness report NAME``: write the leaderboard as one HTML file, and its plots as pictures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from harness.cli.support.arguments import SelectionArguments, add_selection, open_session
from harness.errors import OK

NAME = "report"
SUMMARY = "write the leaderboard as one HTML file, with plots"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and the files to write."""
    add_selection(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="file to write (default: report.html in the folder of the leaderboard)",
    )
    parser.add_argument(
        "--plots", metavar="DIR", type=Path, help="also write every plot as SVG and PNG into this folder"
    )
    parser.add_argument(
        "--embed-images",
        action="store_true",
        help="include images of datasets not known to allow redistribution, for your own use",
    )
    parser.add_argument("--json", action="store_true", help="print the written files as JSON")


def run(args: argparse.Namespace) -> int:
    """Rebuild the folder of the leaderboard and write its report."""
    chosen = SelectionArguments.of(args)
    report = open_session(args).report(
        chosen.leaderboard,
        args.output,
        plots=args.plots,
        embed_images=args.embed_images,
        models=chosen.models,
        losses=chosen.losses,
        datasets=chosen.datasets,
    )
    if args.json:
        print(json.dumps({"page": str(report.page), "bytes": report.bytes, "plots": report.plots}, indent=1))
        return OK
    from harness.cli.support.show import from_here

    print(f"Written to {from_here(report.page)} ({report.bytes / 1e6:.1f} MB)")
    if args.plots:
        print(f"{len(report.plots)} plots as SVG and PNG in {from_here(args.plots)}")
    return OK
