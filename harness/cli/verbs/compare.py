"""``harness compare A B …``: compare entries, paired by patient, with a verdict."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence

from harness.cli.support.arguments import add_where, open_session
from harness.errors import OK, RUNS_FAILED, ConfigError

NAME = "compare"
SUMMARY = "compare entries with paired differences by patient"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Two or more entries, their leaderboard, metrics and margins."""
    parser.add_argument(
        "entries",
        nargs="+",
        metavar="[SOURCE::]MODEL+LOSS",
        help="entries; the first is compared with each of the others; SOURCE is a leaderboard, a folder of "
        "records or runs, or git:REVISION",
    )
    add_where(parser)
    parser.add_argument(
        "--metric", dest="metrics", metavar="NAME", action="append", help="only this metric (repeatable)"
    )
    parser.add_argument(
        "--margin",
        dest="margins",
        metavar="METRIC=VALUE",
        action="append",
        default=[],
        help="largest difference that counts as equivalent, in the metric's unit (repeatable)",
    )
    parser.add_argument(
        "--fail-if-worse",
        metavar="MARGIN",
        nargs="?",
        type=_margin,
        const=0.0,
        help="exit with 1 if another entry is worse than the first by more than MARGIN (default 0) and the "
        "interval of the difference excludes 0, or if it lacks scores that the first has; checks the metrics "
        "of --metric, or Dice; before entries, write --fail-if-worse=0.01",
    )
    parser.add_argument("--json", action="store_true", help="print the comparisons as JSON")


def _margin(text: str) -> float:
    """A number; any other text after the option was probably meant as an entry."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a margin; write --fail-if-worse=0.01, or put the entries first"
        ) from None


def run(args: argparse.Namespace) -> int:
    """Print a table per pair; with ``--fail-if-worse``, exit code 1 if an entry is worse."""
    from harness.cli.support.terminal import print_tables
    from harness.session.comparison import guarded_metrics

    if len(args.entries) < 2:
        raise ConfigError("needs at least two entries", where="compare", remedy="For example: A+x B+x.")
    guarded = [] if args.fail_if_worse is None else guarded_metrics(args.metrics)
    margins = _margins(args.margins, dict.fromkeys(guarded, args.fail_if_worse))
    first, *others = args.entries
    compared = open_session(args).compare_with(
        first, others, leaderboard=args.leaderboard, metrics=args.metrics, margins=margins
    )
    limits = {name: margins[name] for name in guarded}
    worse = [text for pair in compared for text in pair.regressions(limits)]
    if args.json:
        print(json.dumps([pair.as_json() for pair in compared], indent=1, allow_nan=False))
    else:
        print_tables(table for pair in compared for table in pair.tables)
    if worse and not args.json:
        print("; ".join(worse))
    return RUNS_FAILED if worse else OK


def _margins(texts: Sequence[str], guarded: dict[str, float]) -> dict[str, float]:
    """Margins by metric: those of ``--margin``, else the `guarded` ones of ``--fail-if-worse``."""
    margins = dict(guarded)
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            margins[name] = float(value)
        except ValueError:
            equals = ""
        if not equals:
            raise ConfigError(
                f"'{text}' is not METRIC=VALUE", where="--margin", remedy="For example: dice=0.01."
            )
    wrong = next((value for value in margins.values() if not 0 <= value < math.inf), None)
    if wrong is not None:
        raise ConfigError(f"invalid margin {wrong:g}: must be finite and ≥ 0", where="compare")
    return margins
