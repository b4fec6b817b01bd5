"""``harness run LEADERBOARD``: run what is not done, then show the ranked table."""

from __future__ import annotations

import argparse
import contextlib
import math
from typing import TYPE_CHECKING, Any

from harness.cli import board as boards
from harness.cli.observe import add_observe, observers
from harness.errors import OK, RUNS_FAILED, ConfigError

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
    parser.add_argument(
        "--pdb",
        action="store_true",
        help="run in this process, and stop in the debugger at the plugin's line where something fails",
    )
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
    from harness.execute.debugger import debugging
    from harness.execute.drive import drive
    from harness.execute.inline import Inline
    from harness.plan.plan import make_plan
    from harness.rank.collect import entry_name
    from harness.report.landed import landed

    if args.limit is not None:
        args.overrides += [f"protocol.limit={args.limit}", "protocol.epochs=1"]
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
        progress.plan(plan)

        def listen(event: Event, planned: PlannedRun, figures: dict[str, Any]) -> None:
            progress.event(event, planned, figures)
            if event == "end":
                rebuild(board)

        executor = Inline() if args.pdb else None
        outcome = drive(plan.runs, board.runs, listen, timeout_s=args.timeout, executor=executor)
    built = rebuild(board)
    show(board, built, Look(format="json" if args.json else "rich"))
    if not args.json:
        new = [run for run in plan.runs if run.state != "done" and run.id in outcome.done]
        for line in landed(built.board, {entry_name(run.entry) for run in new}):
            print(line)
    return RUNS_FAILED if outcome.failed else OK
