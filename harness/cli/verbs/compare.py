"""``harness compare A B …``: entries side by side, paired by patient, with a verdict."""

from __future__ import annotations

import argparse
import json
import math
from typing import TYPE_CHECKING

from harness.cli.support.entries import add_where
from harness.cli.support.sources import find_anywhere
from harness.errors import OK, RUNS_FAILED, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.board.comparison import Comparison

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
        type=_margin,
        const=0.0,
        help="exit code 1 if one of the others is worse than the first in a metric, its interval without 0, "
        "and by more than MARGIN on average, or lacks scores that the first has (default: 0; of the metrics "
        "of --metric, else of dice); before entries write --fail-if-worse=0.01",
    )
    parser.add_argument("--json", action="store_true", help="print the comparisons as JSON")


def _margin(text: str) -> float:
    """A number; what else stands after the option was meant as an entry."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a margin; write --fail-if-worse=0.01, or the entries first"
        ) from None


def run(args: argparse.Namespace) -> int:
    """Print a table for each pair."""
    from harness.board.compare import compare
    from harness.tables.terminal import to_terminal
    from harness.views.as_json import comparison_json
    from harness.views.compare import comparison

    if len(args.entries) < 2:
        raise ConfigError("needs two entries or more", where="compare", remedy="Say for example A+x B+x.")
    guarded = [] if args.fail_if_worse is None else _guarded(args)
    margins = _margins(args, guarded)
    first, *others = find_anywhere(args)
    compared = [
        compare(
            first.records, one.records, metrics=args.metrics, names=(first.name, one.name), margins=margins
        )
        for one in others
    ]
    for one in compared:
        _check_judged(one, guarded)
    if args.json:
        print(json.dumps([comparison_json(one) for one in compared], indent=1, allow_nan=False))
    else:
        from rich.console import Console

        Console(highlight=False).print(to_terminal([comparison(one) for one in compared]))
    limits = {name: margins[name] for name in guarded}
    worse = [told for one in compared for told in _worse(one, limits)]
    if worse and not args.json:
        print("; ".join(worse))
    return RUNS_FAILED if worse else OK


def _guarded(args: argparse.Namespace) -> list[str]:
    """The metrics that ``--fail-if-worse`` is about; ConfigError for one that is better in no direction."""
    from harness.metrics.definitions import metric

    names = [metric(name).name for name in args.metrics or ["dice"]]
    for name in names:
        if metric(name).higher_is_better is None:
            raise ConfigError(
                f"{name} is better in neither direction",
                where="--fail-if-worse",
                remedy="Guard another metric with --metric.",
            )
    return names


def _check_judged(compared: Comparison, guarded: list[str]) -> None:
    """ConfigError where a guarded metric has no or too few scores on both sides: nothing would be guarded."""
    from harness.stats.confidence_intervals import MIN_PATIENTS

    judged = {one.metric for one in compared.overall}
    absent = [name for name in guarded if name not in judged]
    if absent:
        raise ConfigError(
            f"{compared.a} and {compared.b} have no scores of {absent[0]} in common",
            where="--fail-if-worse",
            remedy="Guard another metric with --metric, or score it: harness rescore.",
        )
    few = next((one for one in compared.overall if one.metric in guarded and one.n < MIN_PATIENTS), None)
    if few is not None:
        raise ConfigError(
            f"{few.n} patients with {few.metric} on both sides decide nothing",
            where="--fail-if-worse",
            remedy=f"Test {MIN_PATIENTS} or more.",
        )


def _worse(compared: Comparison, limits: Mapping[str, float]) -> Iterator[str]:
    """What of B is worse than A by more than the margin of a guarded metric, in words."""
    from harness.metrics.definitions import metric

    for one in compared.overall:
        limit = limits.get(one.metric)
        if limit is not None and one.difference is not None and one.verdict == "worse":
            loss = -one.difference if metric(one.metric).higher_is_better else one.difference
            if loss > limit:
                yield f"{compared.b} is worse in {one.metric}"
    for name, structure, phase in compared.lacks_b:
        if name in limits:
            yield f"{compared.b} has no {name} of {structure} {phase}"


def _margins(args: argparse.Namespace, guarded: list[str]) -> dict[str, float]:
    """By metric: what ``--margin`` says, else for `guarded` metrics what ``--fail-if-worse`` does."""
    margins = dict.fromkeys(guarded, args.fail_if_worse)
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
