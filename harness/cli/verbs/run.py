"""``harness run LEADERBOARD``: run what is not done, then show the ranked table."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.cli.support import board as boards
from harness.cli.support import executors
from harness.cli.support.observe import add_observe, observers
from harness.errors import OK, ConfigError

if TYPE_CHECKING:
    from harness.cli.support.board import OpenLeaderboard
    from harness.plan.plan import PlannedRun

NAME = "run"
SUMMARY = "train and evaluate what is not done, then rank"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and how to run it."""
    boards.add_selection(parser)
    parser.add_argument(
        "--limit",
        metavar="N",
        type=int,
        help="try everything out in seconds: one epoch of N batches, N test cases, one seed and fold",
    )
    executors.add_arguments(parser)
    parser.add_argument(
        "--detach",
        action="store_true",
        help="submit to a cluster and leave; look with harness status, and rank with harness leaderboard",
    )
    add_observe(parser)
    parser.add_argument(
        "--pdb",
        action="store_true",
        help="run in this process, and stop in the debugger at the plugin's line where something fails",
    )
    parser.add_argument("--json", action="store_true", help="print the leaderboard as JSON")


def trial(args: argparse.Namespace) -> list[str]:
    """What makes a run a trial: one epoch of few batches and cases, the first seed and fold."""
    from harness.config.load import load

    _, protocol = load(boards.open_project(args), args.leaderboard, args.overrides).leaderboard(
        args.leaderboard
    )
    overrides = [f"protocol.limit={args.limit}", "protocol.epochs=1", f"protocol.seeds=[{protocol.seeds[0]}]"]
    if protocol.split != "official":
        overrides.append(f"protocol.run_folds=[{(protocol.run_folds or (0,))[0]}]")
    return overrides


def run(args: argparse.Namespace) -> int:
    """Run the selection; exit code 1 if a run failed."""
    return carry_out(args, lambda board, planned: True)


def carry_out(args: argparse.Namespace, wanted: Callable[[OpenLeaderboard, PlannedRun], bool]) -> int:
    """Run what is `wanted` of the selection, and show the table."""
    from harness.board.collect_records import entry_name
    from harness.cli.support.progress import Progress
    from harness.cli.support.show import ShowOptions, rebuild, show
    from harness.plan.plan import make_plan
    from harness.probe.debugger import debugging
    from harness.views.rank_summary import landed

    if args.limit is not None:
        args.overrides += trial(args)
    if args.pdb and args.timeout is not None:
        raise ConfigError("--timeout would end a debugger too", where="--pdb", remedy="Leave one out.")
    board = boards.open_board(args)
    # Bars that move would write over the debugger.
    with Progress(quiet=args.json, plain=args.pdb) as progress:
        with debugging() if args.pdb else contextlib.nullcontext():
            plan = make_plan(
                board.project,
                board.title,
                board.protocol,
                board.matrix,
                board.runs,
                data_roots=boards.data_roots(args.data, board.registry),
                plugin_files=board.plugin_files,
                observers=observers(args.observe, board.project, board.registry.observers),
                advance=progress.reading,
            )
        plan = replace(plan, runs=tuple(one for one in plan.runs if wanted(board, one)))
        progress.plan(plan)
        outcome = executors.carry_out(args, board, plan, progress)
        progress.outcome(outcome)
    if args.detach and outcome.left:
        return OK
    try:
        built = rebuild(board)
    except ConfigError:
        if not outcome.cancelled:
            raise
        # Stopped before anything was there that could be ranked.
        return executors.exit_code(outcome)
    show(board, built, ShowOptions(format="json" if args.json else "rich"))
    if not args.json:
        new = [run for run in plan.runs if run.state != "done" and run.id in outcome.done]
        for line in landed(built.board, {entry_name(run.entry) for run in new}):
            print(line)
    return executors.exit_code(outcome)
