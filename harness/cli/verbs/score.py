"""``harness score PREDICTIONS``: score label maps that any tool made, and rank them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.support import board as boards
from harness.errors import OK, ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.data.case import Case
    from harness.data.predictions import FoundPredictions
    from harness.plan.data import Data
    from harness.store.record import Record

NAME = "score"
SUMMARY = "score label maps made by another tool, and rank them on a leaderboard"

_NAMED = 8
"""Files and cases that a sentence names before it says how many more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the predictions lie, what they are of, and what they are called."""
    parser.add_argument("predictions", type=Path, help="folder of NIfTI label maps, named like the cases")
    parser.add_argument("--dataset", required=True, metavar="NAME", help="the dataset that they are of")
    parser.add_argument(
        "--as", dest="name", required=True, metavar="NAME", help='what made them, such as "nnU-Net 2.8"'
    )
    parser.add_argument(
        "--leaderboard", metavar="NAME", help="where to rank them (default: the one that has the dataset)"
    )
    parser.add_argument(
        "--labels",
        metavar="NAME=VALUE,…",
        help="label values in the files, such as LV=1,MYO=2,RV=3 (default: the dataset's)",
    )
    add_engine(parser)
    boards.add_common(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def add_engine(parser: argparse.ArgumentParser) -> None:
    """How to compute."""
    parser.add_argument(
        "--engine",
        default="fast",
        choices=("fast", "medpy"),
        help="medpy computes with MedPy instead, slowly, and says the largest difference from fast",
    )


def run(args: argparse.Namespace) -> int:
    """Score every test case of the leaderboard; missing ones count as empty predictions."""
    from harness.cli.support.progress import Progress
    from harness.cli.support.show import ShowOptions, rebuild, show
    from harness.data.predictions import find_predictions
    from harness.pipeline.external import score_files
    from harness.plan.data import open_data
    from harness.plan.matrix import seeds_and_folds
    from harness.plan.spec import external_spec

    args.leaderboard = args.leaderboard or _leaderboard_of(args)
    board = boards.open_board(args)
    known = {entry.dataset.label: entry.dataset for entry in board.matrix.entries}
    fitting = [one for label, one in known.items() if args.dataset in (label, one.name)]
    if len(fitting) > 1:
        raise ConfigError(
            f"'{args.dataset}' could be {' or '.join(one.label for one in fitting)}",
            where=f"leaderboard {board.name}",
            remedy="Say which, with its parameters.",
        )
    if not fitting:
        names = set(known)
        raise ConfigError(
            f"has no dataset '{args.dataset}'",
            where=f"leaderboard {board.name}",
            remedy=nearest(args.dataset, names),
        )
    (choice,) = fitting
    records, differences = [], dict[str, float]()
    with Progress(quiet=args.json) as progress:
        data = open_data(
            board.project,
            choice,
            board.protocol,
            board.runs,
            boards.data_roots(args.data, board.registry),
            progress.reading,
        )
        found = find_predictions(args.predictions, data.source.cases)
        values = _values(args.labels, data.source.structures)
        for fold in dict.fromkeys(fold for _, fold in seeds_and_folds(board.protocol)):
            spec = external_spec(board.title, args.name.strip(), board.protocol, data, fold)
            wanted = set(spec.parts.test)
            record, off = score_files(
                board.runs.run(spec.run_id),
                spec,
                data.local(board.runs, board.plugin_files),
                [case for case in data.source.cases if case.patient in wanted],
                found.files,
                values,
                engine=args.engine,
                advance=progress.scoring,
            )
            records.append(record)
            differences = {name: max(off[name], differences.get(name, 0.0)) for name in off}
    built = rebuild(board)
    if args.json:
        print(json.dumps(_as_json(args.name, records, found, data, differences), indent=1, allow_nan=False))
        return OK
    for line in _remarks(records, found, data, args.predictions):
        print(line)
    print_differences(differences)
    show(board, built, ShowOptions())
    return OK


def print_differences(differences: Mapping[str, float]) -> None:
    """How far MedPy and the fast engine are apart, by metric."""
    if differences:
        told = ", ".join(f"{name} {value:.3g}" for name, value in differences.items())
        print(f"largest difference between MedPy and the fast engine: {told}")


def _leaderboard_of(args: argparse.Namespace) -> str:
    """The only leaderboard that has the dataset."""
    from harness.config.load import load
    from harness.plan.choice import parse

    file = boards.open_project(args)
    known = load(file).settings.leaderboard
    wanted = parse(args.dataset)[0]
    found = [name for name, one in known.items() if wanted in {parse(text)[0] for text in one.datasets}]
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigError(
            f"{', '.join(found)} all have dataset {args.dataset}", where="--leaderboard", remedy="Say which."
        )
    datasets = {parse(text)[0] for one in known.values() for text in one.datasets}
    raise ConfigError(
        f"no leaderboard has dataset '{args.dataset}'", where=file, remedy=nearest(wanted, datasets)
    )


def _values(text: str | None, structures: Mapping[str, int]) -> dict[str, int]:
    """Label values in the files, by structure."""
    if text is None:
        return dict(structures)
    values = {}
    for item in text.split(","):
        name, equals, value = item.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not value.isdecimal() or not 0 < int(value) < 256:
            raise ConfigError(f"'{item}' is not NAME=VALUE", where="--labels", remedy="Say LV=1,MYO=2,RV=3.")
        if name not in structures:
            raise ConfigError(f"no structure '{name}'", where="--labels", remedy=nearest(name, structures))
        values[name] = int(value)
    if len(set(values.values())) < len(structures):
        raise ConfigError(
            f"gives {', '.join(structures)} no label value each", where="--labels", remedy="Name them all."
        )
    return values


def _remarks(records: Sequence[Record], found: FoundPredictions, data: Data, folder: Path) -> list[str]:
    missing = [case for record in records for case in record.data["missing"]]
    untested = _untested(records, found, data.source.cases)
    lines = []
    if missing:
        lines.append(f"no prediction of {_some(missing)}: scored as if nothing had been found there")
    if untested:
        lines.append(f"not scored, as this leaderboard does not test these cases: {_some(untested)}")
    if found.extra:
        names = [str(path.relative_to(folder)) for path in found.extra]
        lines.append(f"named like no case, not scored: {_some(names)}")
    return lines


def _untested(records: Sequence[Record], found: FoundPredictions, cases: Sequence[Case]) -> list[str]:
    tested = {patient for record in records for patient in record.spec.parts.test}
    return [case.id for case in cases if case.patient not in tested and case.id in found.files]


def _some(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return f"{', '.join(names[:_NAMED])}{f' and {more} more' if more > 0 else ''}"


def _as_json(
    name: str,
    records: Sequence[Record],
    found: FoundPredictions,
    data: Data,
    differences: Mapping[str, float],
) -> dict[str, Any]:
    return {
        "entry": name,
        "runs": [record.run_id for record in records],
        "scored": sum(len({row.case for row in record.cases}) for record in records),
        "missing": [case for record in records for case in record.data["missing"]],
        "not_tested": _untested(records, found, data.source.cases),
        "extra": [path.name for path in found.extra],
        "largest_difference": {k: v for k, v in differences.items() if v < float("inf")} or None,
    }
