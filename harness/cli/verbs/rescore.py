"""``harness rescore LEADERBOARD``: score saved predictions again, without training or a GPU."""

from __future__ import annotations

import argparse
import json

from harness.cli.support.arguments import SelectionArguments, add_engine, add_selection, open_session
from harness.cli.verbs.score import print_differences
from harness.errors import OK, RUNS_FAILED

NAME = "rescore"
SUMMARY = "score saved predictions again after a change of metrics"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and the implementation of metrics."""
    add_selection(parser)
    add_engine(parser)
    parser.add_argument("--json", action="store_true", help="print the ids of scored runs as JSON")


def run(args: argparse.Namespace) -> int:
    """Score the runs that have saved predictions; exit code 1 if a run has none."""
    from harness.cli.support.progress import Progress
    from harness.cli.support.show import ShowOptions, show

    chosen = SelectionArguments.of(args)
    with Progress(quiet=args.json) as progress:
        outcome = open_session(args).rescore(
            chosen.leaderboard,
            models=chosen.models,
            losses=chosen.losses,
            datasets=chosen.datasets,
            engine=args.engine,
            on_event=progress,
        )
    if args.json:
        answer = {
            "rescored": outcome.rescored,
            "left": outcome.left,
            "largest_difference": outcome.largest_difference or None,
        }
        print(json.dumps(answer, indent=1))
    else:
        done, left = len(outcome.rescored), len(outcome.left)
        print(f"scored {done} of {done + left} runs again")
        for run_id, reason in outcome.left.items():
            print(f"not scored: {run_id}: {reason}")
        print_differences(outcome.largest_difference)
        if outcome.leaderboard is not None:
            show(outcome.leaderboard, ShowOptions())
    return RUNS_FAILED if outcome.left else OK
