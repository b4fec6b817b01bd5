"""``harness score PREDICTIONS``: score label maps of another tool, and rank them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.support.arguments import add_common, add_engine, open_session
from harness.errors import OK, ConfigError, first_few

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.session.external_predictions import ScoredPredictions

NAME = "score"
SUMMARY = "score label maps of another tool, and rank them on a leaderboard"

_NAMED = 8
"""The most files or cases that a sentence names; it counts the others."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder of predictions, their dataset, and the name of the entry."""
    parser.add_argument("predictions", type=Path, help="folder of NIfTI label maps, named after the cases")
    parser.add_argument("--dataset", required=True, metavar="NAME", help="dataset of the predictions")
    parser.add_argument(
        "--as", dest="name", required=True, metavar="NAME", help='name of the entry, such as "nnU-Net 2.8"'
    )
    parser.add_argument(
        "--leaderboard",
        metavar="NAME",
        help="leaderboard to rank them on (default: the only one with the dataset)",
    )
    parser.add_argument(
        "--labels",
        metavar="NAME=VALUE,…",
        help="label values of the files, such as LV=1,MYO=2,RV=3 (default: those of the dataset)",
    )
    add_engine(parser)
    add_common(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def run(args: argparse.Namespace) -> int:
    """Score every test case of the leaderboard; missing ones count as empty predictions."""
    from harness.cli.support.progress import Progress
    from harness.cli.support.show import ShowOptions, show

    with Progress(quiet=args.json) as progress:
        scored = open_session(args).score_predictions(
            args.predictions,
            dataset=args.dataset,
            name=args.name,
            leaderboard=args.leaderboard,
            labels=_label_values(args.labels),
            engine=args.engine,
            on_event=progress,
        )
    if args.json:
        print(json.dumps(_as_json(scored), indent=1, allow_nan=False))
        return OK
    for line in _remarks(scored, args.predictions):
        print(line)
    print_differences(scored.largest_difference)
    show(scored.leaderboard, ShowOptions())
    return OK


def print_differences(differences: Mapping[str, float]) -> None:
    """The largest difference between MedPy and the fast engine, by metric."""
    if differences:
        listed = ", ".join(f"{name} {value:.3g}" for name, value in differences.items())
        print(f"largest difference between MedPy and the fast engine: {listed}")


def _label_values(text: str | None) -> dict[str, int] | None:
    """``LV=1,MYO=2,RV=3`` as a mapping; ConfigError for a value that is no integer from 1 to 255."""
    if text is None:
        return None
    values = {}
    for item in text.split(","):
        name, equals, value = item.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not value.isdecimal() or not 0 < int(value) < 256:
            raise ConfigError(
                f"'{item}' is not NAME=VALUE", where="--labels", remedy="For example: LV=1,MYO=2,RV=3."
            )
        values[name] = int(value)
    return values


def _remarks(scored: ScoredPredictions, folder: Path) -> list[str]:
    lines = []
    if scored.missing:
        lines.append(f"no prediction of {_some(scored.missing)}: scored as empty predictions")
    if scored.not_tested:
        lines.append(f"not scored, because these cases are in no test set: {_some(scored.not_tested)}")
    if scored.extra:
        names = [str(path.relative_to(folder)) for path in scored.extra]
        lines.append(f"not scored, because these files match no case: {_some(names)}")
    return lines


def _some(names: Sequence[str]) -> str:
    return first_few(names, _NAMED)


def _as_json(scored: ScoredPredictions) -> dict[str, Any]:
    differences = scored.largest_difference
    return {
        "entry": scored.name,
        "runs": [record.run_id for record in scored.records],
        "scored": scored.cases,
        "missing": scored.missing,
        "not_tested": scored.not_tested,
        "extra": [path.name for path in scored.extra],
        "largest_difference": {k: v for k, v in differences.items() if v < float("inf")} or None,
    }
