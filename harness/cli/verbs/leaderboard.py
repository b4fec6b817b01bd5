"""``harness leaderboard NAME``: rebuild and show the tables from records; needs no data and no GPU."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.support.arguments import SelectionArguments, add_selection, open_session
from harness.errors import OK, ConfigError

NAME = "leaderboard"
SUMMARY = "rebuild and show the tables from records"

FORMATS = ("rich", "markdown", "csv", "json", "latex", "html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and what to show of it."""
    add_selection(parser)
    parser.add_argument(
        "--view",
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
    parser.add_argument("--format", choices=FORMATS, help="how to print the view (default: rich)")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="save the table as a picture too")
    parser.add_argument(
        "--json", action="store_true", help="print the whole leaderboard as JSON; the same as --format json"
    )


def run(args: argparse.Namespace) -> int:
    """Rebuild the folder of the leaderboard and print a view of it."""
    from harness.cli.support.show import ShowOptions, show

    _refuse_idle(args)
    chosen = SelectionArguments.of(args)
    leaderboard = open_session(args).leaderboard(
        chosen.leaderboard, models=chosen.models, losses=chosen.losses, datasets=chosen.datasets
    )
    options = ShowOptions(
        args.view or "summary",
        args.worst,
        args.sort,
        tuple(name.strip() for name in args.columns.split(",")) if args.columns else (),
        "json" if args.json else args.format or "rich",
        args.against,
    )
    show(leaderboard, options, svg=args.svg)
    return OK


IDLE = {
    "--worst": ("view",),
    "--against": ("view", "worst", "sort", "columns"),
    "--json": ("view", "worst", "against", "sort", "columns"),
}
"""Beside which options others would do nothing."""


def _refuse_idle(args: argparse.Namespace) -> None:
    """ConfigError for an option that could only be ignored: who gave it expects something of it."""
    # A picture shows the view whatever is printed.
    whole = (args.json or args.format == "json") and args.svg is None
    given = {"--worst": args.worst is not None, "--against": args.against is not None, "--json": whole}
    said = {"--json": "--json" if args.json else "--format json"}
    for flag, idle in IDLE.items():
        for name in idle:
            if given[flag] and getattr(args, name) is not None:
                raise ConfigError(
                    f"does nothing beside {said.get(flag, flag)}", where=f"--{name}", remedy="Leave one out."
                )
    if args.json and args.format not in (None, "json"):
        raise ConfigError(f"is not --format {args.format}", where="--json", remedy="Leave one out.")
