"""``harness run LEADERBOARD``: execute the runs that are not done, then show the ranked table."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from harness.cli.support.arguments import (
    SelectionArguments,
    add_executor,
    add_observe,
    add_selection,
    open_session,
    pairs,
)
from harness.errors import INTERRUPTED, OK, RUNS_FAILED

if TYPE_CHECKING:
    from harness.session.running import RunsOutcome

NAME = "run"
SUMMARY = "train and evaluate entries that are not done, then rank all"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and options of execution."""
    add_selection(parser)
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        help="quick trial: one epoch of N batches, N test cases, one seed and one fold",
    )
    add_executor(parser)
    parser.add_argument(
        "--detach",
        action="store_true",
        help="submit to a cluster and exit; then use harness status and harness leaderboard",
    )
    add_observe(parser)
    parser.add_argument(
        "--pdb",
        action="store_true",
        help="run in this process, and open the debugger where a plugin's code fails",
    )
    parser.add_argument("--json", action="store_true", help="print the leaderboard as JSON")


def run(args: argparse.Namespace) -> int:
    """Run the selection; exit code 1 if a run failed."""
    return launch(args, open_session(args).run)


def launch(args: argparse.Namespace, method: Callable[..., RunsOutcome]) -> int:
    """Call `method` of a session (`run`, or one like it), and show the leaderboard."""
    from harness.cli.support.progress import Progress

    chosen = SelectionArguments.of(args)
    # Progress bars would overwrite the debugger's output.
    with Progress(quiet=args.json, plain=args.pdb) as progress:
        outcome = method(
            chosen.leaderboard,
            models=chosen.models,
            losses=chosen.losses,
            datasets=chosen.datasets,
            limit=args.limit,
            executor=args.executor,
            jobs=args.jobs,
            address=args.address,
            timeout_s=args.timeout,
            observers=pairs(args.observe, where="--observe", example="tensorboard=PLACE"),
            detach=args.detach,
            debug=args.pdb,
            on_event=progress,
            progress_s=0.0,
        )
    _show(outcome, as_json=args.json)
    if args.detach and outcome.schedule.left:
        return OK
    if outcome.schedule.failed:
        return RUNS_FAILED
    return INTERRUPTED if outcome.schedule.cancelled else OK


def _show(outcome: RunsOutcome, *, as_json: bool) -> None:
    """The leaderboard, and the ranks of new entries."""
    from harness.cli.support.show import ShowOptions, show
    from harness.views.rank_summary import rank_sentences

    if outcome.leaderboard is None:
        return
    show(outcome.leaderboard, ShowOptions(format="json" if as_json else "rich"))
    if not as_json:
        for line in rank_sentences(outcome.leaderboard.board, outcome.new_entries):
            print(line)
