"""``harness rescore LEADERBOARD``: scores from kept predictions, without training or a GPU."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from harness.cli.support import board as boards
from harness.cli.verbs.score import add_engine, print_differences
from harness.errors import OK, RUNS_FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.cli.support.board import OpenLeaderboard
    from harness.cli.support.progress import Progress
    from harness.contract.spec import RunSpec
    from harness.plan.data import Data
    from harness.store.runs import RunFolder

NAME = "rescore"
SUMMARY = "score kept predictions again, after a change of metrics"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and how to compute."""
    boards.add_selection(parser)
    add_engine(parser)
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")


def run(args: argparse.Namespace) -> int:
    """Score what has its predictions; exit code 1 if some run has not."""
    from harness.cli.support.progress import Progress
    from harness.cli.support.show import ShowOptions, rebuild, show
    from harness.errors import HarnessError
    from harness.pipeline.external import rescore

    board = boards.open_board(args)
    done, left, differences = [], dict[str, str](), dict[str, float]()
    with Progress(quiet=args.json) as progress:
        for folder, spec, data in _wanted(board, args, progress):
            tested = set(spec.parts.test)
            cases = [case for case in data.source.cases if case.patient in tested]
            try:
                reason = _unfit(folder, spec)
                if reason is not None:
                    left[spec.run_id] = reason
                    continue
                _, off = rescore(folder, spec, cases, engine=args.engine, advance=progress.scoring)
            except HarnessError as error:
                left[spec.run_id] = str(error)
                continue
            done.append(spec.run_id)
            differences = {name: max(off[name], differences.get(name, 0.0)) for name in off}
    if args.json:
        if done:
            rebuild(board)
        print(
            json.dumps({"rescored": done, "left": left, "largest_difference": differences or None}, indent=1)
        )
    else:
        print(f"scored {len(done)} of {len(done) + len(left)} runs again")
        for run_id, reason in left.items():
            print(f"left {run_id}: {reason}")
        print_differences(differences)
        if done:
            show(board, rebuild(board), ShowOptions())
    return RUNS_FAILED if left else OK


def _unfit(folder: RunFolder, spec: RunSpec) -> str | None:
    """Why a run can't be scored from what was kept; None if it can."""
    record = folder.record()
    if record is None or record.status != "done":
        return "not finished; harness run does it"
    if not folder.predictions.is_dir():
        return "its predictions were not kept; set keep_predictions = true, and harness run predicts again"
    clean_up = "largest_component"
    if not spec.model.external and record.spec.protocol.largest_component != spec.protocol.largest_component:
        return f"{clean_up} changed, which a kept prediction can't undo; harness run predicts again"
    return None


def _wanted(
    board: OpenLeaderboard, args: argparse.Namespace, progress: Progress
) -> Iterator[tuple[RunFolder, RunSpec, Data]]:
    """The folder and the spec, as it is to be now, of every selected run and external entry."""
    from harness.plan.data import open_data
    from harness.plan.matrix import seeds_and_folds
    from harness.plan.spec import external_spec, make_spec

    roots = boards.data_roots(args.data, board.registry)
    choices = {entry.dataset.label: entry.dataset for entry in board.matrix.selected if entry.skip is None}
    opened = {
        label: open_data(board.project, choice, board.protocol, board.runs, roots, progress.reading)
        for label, choice in choices.items()
    }
    for entry in board.matrix.selected:
        if entry.skip is None:
            data = opened[entry.dataset.label]
            for seed, fold in seeds_and_folds(board.protocol):
                spec = make_spec(board.title, entry, board.protocol, data, seed, fold)
                yield board.runs.run(spec.run_id), spec, data
    for folder in board.runs.all():
        known = folder.spec()
        external = known.model.external and known.leaderboard == board.title
        if external and known.dataset.label in opened:
            data = opened[known.dataset.label]
            spec = external_spec(board.title, known.model.name, board.protocol, data, known.fold)
            if spec.run_id == folder.id:
                yield folder, spec, data
