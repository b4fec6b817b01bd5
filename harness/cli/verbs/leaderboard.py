"""``harness leaderboard NAME``: rebuild the tables from records and show them; needs neither data nor GPU."""

from __future__ import annotations

import argparse
from pathlib import Path

from harness.cli.support.arguments import SelectionArguments, add_selection, open_session
from harness.errors import OK, ConfigError

NAME = "leaderboard"
SUMMARY = "rebuild the tables from records and show them"

FORMATS = ("rich", "markdown", "csv", "json", "latex", "html")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and the view to show."""
    add_selection(parser)
    parser.add_argument(
        "--view",
        metavar="VIEW",
        help="view to show: summary (default), dice, hausdorff, clinical, groups or cost",
    )
    parser.add_argument(
        "--worst",
        metavar="N",
        type=int,
        help="show the N worst scores of the ranking metric instead of a view",
    )
    parser.add_argument("--against", metavar="NAME", help="compare each cell with the published results NAME")
    parser.add_argument("--sort", metavar="COLUMN", help="sort rows by this column, best first")
    parser.add_argument("--columns", metavar="A,B,…", help="show only these columns")
    parser.add_argument("--format", choices=FORMATS, help="output format (default: rich)")
    parser.add_argument("--svg", metavar="FILE", type=Path, help="also save the table as an SVG picture")
    parser.add_argument(
        "--json", action="store_true", help="print the whole leaderboard as JSON (same as --format json)"
    )


def run(args: argparse.Namespace) -> int:
    """Rebuild the folder of the leaderboard and print a view of it."""
    from harness.cli.support.show import ShowOptions, show

    _refuse_without_effect(args)
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


WITHOUT_EFFECT = {
    "--worst": ("view",),
    "--against": ("view", "worst", "sort", "columns"),
    "--json": ("view", "worst", "against", "sort", "columns"),
}
"""The options that would have no effect together with an option."""


def _refuse_without_effect(args: argparse.Namespace) -> None:
    """ConfigError for an option that would be ignored: the user expects an effect."""
    # A picture shows the view in every format.
    whole = (args.json or args.format == "json") and args.svg is None
    used = {"--worst": args.worst is not None, "--against": args.against is not None, "--json": whole}
    spelled = {"--json": "--json" if args.json else "--format json"}
    for flag, names in WITHOUT_EFFECT.items():
        for name in names:
            if used[flag] and getattr(args, name) is not None:
                raise ConfigError(f"cannot be combined with {spelled.get(flag, flag)}", where=f"--{name}")
    if args.json and args.format not in (None, "json"):
        raise ConfigError(f"cannot be combined with --format {args.format}", where="--json")
