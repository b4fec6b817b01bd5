"""``harness compare A B …``: entries side by side, paired by patient, with a verdict."""

from __future__ import annotations

import argparse
import json
import math

from harness.cli.entries import add_where
from harness.cli.sources import find_anywhere
from harness.errors import OK, RUNS_FAILED, ConfigError

NAME = "compare"
SUMMARY = "compare entries with paired differences by patient"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two or more entries, and where to look for them."""
    parser.add_argument(
        "entries",
        nargs="+",
        metavar="[SOURCE::]MODEL+LOSS",
        help="the first is compared with each of the others; SOURCE is a leaderboard, a folder of records or "
        "runs, or git:REVISION",
    )
    add_where(parser)
    parser.add_argument(
        "--metric", dest="metrics", metavar="NAME", action="append", help="only these (repeatable)"
    )
    parser.add_argument(
        "--margin",
        dest="margins",
        metavar="METRIC=VALUE",
        action="append",
        default=[],
        help="differences up to this count as equivalent, in the metric's unit (repeatable)",
    )
    parser.add_argument(
        "--fail-if-worse",
        metavar="MARGIN",
        nargs="?",
        type=float,
        const=0.0,
        help="exit code 1 if one of the others is worse than the first in a metric, by more than MARGIN "
        "(default: 0; of the metrics of --metric, else of dice)",
    )
    parser.add_argument("--json", action="store_true", help="print the comparisons as JSON")


def run(args: argparse.Namespace) -> int:
    """Print a table for each pair."""
    from harness.rank.compare import compare
    from harness.report.as_json import comparison_json
    from harness.report.terminal import to_terminal
    from harness.report.views import comparison

    if len(args.entries) < 2:
        raise ConfigError("needs two entries or more", where="compare", remedy="Say for example A+x B+x.")
    margins = _margins(args)
    first, *others = find_anywhere(args)
    compared = [
        compare(
            first.records, one.records, metrics=args.metrics, names=(first.name, one.name), margins=margins
        )
        for one in others
    ]
    if args.json:
        print(json.dumps([comparison_json(one) for one in compared], indent=1, allow_nan=False))
    else:
        from rich.console import Console

        Console(highlight=False).print(to_terminal([comparison(one) for one in compared]))
    if args.fail_if_worse is None:
        return OK
    guarded = args.metrics or ["dice"]
    worse = [
        f"{one.b} is worse in {overall.metric}"
        for one in compared
        for overall in one.overall
        if overall.metric in guarded and overall.verdict == "worse"
    ]
    if worse and not args.json:
        print("; ".join(worse))
    return RUNS_FAILED if worse else OK


def _margins(args: argparse.Namespace) -> dict[str, float]:
    """By metric: what ``--margin`` says, else for guarded metrics what ``--fail-if-worse`` does."""
    margins = {}
    if args.fail_if_worse is not None:
        margins = dict.fromkeys(args.metrics or ["dice"], args.fail_if_worse)
    for text in args.margins:
        name, equals, value = text.partition("=")
        try:
            margins[name] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ConfigError(f"'{text}' is not METRIC=VALUE", where="--margin", remedy="Say dice=0.01.")
    wrong = next((value for value in margins.values() if not 0 <= value < math.inf), None)
    if wrong is not None:
        raise ConfigError(f"a margin of {wrong} is none", where="compare", remedy="Give a number from 0 up.")
    return margins
