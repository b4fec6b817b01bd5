"""``harness run LEADERBOARD``: run what is not done, then show the ranked table."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING, Any

from harness.cli import board as boards
from harness.cli.observe import add_observe, observers
from harness.errors import OK, RUNS_FAILED

if TYPE_CHECKING:
    from harness.execute.drive import Event
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
        help="try everything out: one epoch of N batches; same as --set protocol.limit=N protocol.epochs=1",
    )
    parser.add_argument("--timeout", metavar="SECONDS", type=seconds, help="give up a run after this long")
    add_observe(parser)
    parser.add_argument("--json", action="store_true", help="print the leaderboard as JSON")


def seconds(text: str) -> float:
    """A duration; argparse says in one line what is no number above 0."""
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError
    return value


def run(args: argparse.Namespace) -> int:
    """Run the selection; exit code 1 if a run failed."""
    from harness.cli.progress import Progress
    from harness.cli.show import Look, rebuild, show
    from harness.execute.drive import drive
    from harness.plan.plan import make_plan

    if args.limit is not None:
        args.overrides += [f"protocol.limit={args.limit}", "protocol.epochs=1"]
    board = boards.open_board(args)
    with Progress(quiet=args.json) as progress:
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
        progress.plan(plan)

        def listen(event: Event, planned: PlannedRun, figures: dict[str, Any]) -> None:
            progress.event(event, planned, figures)
            if event == "end":
                rebuild(board)

        outcome = drive(plan.runs, board.runs, listen, timeout_s=args.timeout)
    show(board, rebuild(board), Look(format="json" if args.json else "rich"))
    return RUNS_FAILED if outcome.failed else OK
