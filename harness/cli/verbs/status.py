"""``harness status [LEADERBOARD]``: show the progress of runs, from their folders alone."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.cli.support.arguments import add_run_selection, open_session
from harness.errors import OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from harness.store.status import Status

NAME = "status"
SUMMARY = "show the state and progress of runs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that select runs, and options of the table."""
    add_run_selection(parser)
    parser.add_argument(
        "-w",
        "--watch",
        metavar="SECONDS",
        type=float,
        nargs="?",
        const=2.0,
        help="refresh every SECONDS (default 2) until no run is running or queued",
    )
    parser.add_argument("--all", action="store_true", help="list every run, including those that are done")
    parser.add_argument("--json", action="store_true", help="print every run as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the table once, or refresh it until no run is running or queued."""
    session = open_session(args)
    statuses = session.status(args.leaderboard, runs=args.ids)
    if args.json:
        print(json.dumps([asdict(status) for status in statuses], indent=1, ensure_ascii=False))
        return OK
    from rich.console import Console

    console = Console(highlight=False)
    if args.watch is None:
        console.print(_renderable(statuses, every=args.all))
        return OK
    from rich.live import Live

    from harness.store.state import ACTIVE

    with Live(_renderable(statuses, every=args.all), console=console, auto_refresh=False) as live:
        while any(status.state in ACTIVE for status in statuses):
            time.sleep(max(0.2, args.watch))
            statuses = session.status(args.leaderboard, runs=args.ids)
            live.update(_renderable(statuses, every=args.all), refresh=True)
    return OK


def _renderable(statuses: Sequence[Status], *, every: bool) -> RenderableType:
    from rich.text import Text

    from harness.tables.terminal import to_terminal
    from harness.views.run_status import status_table

    table = status_table(statuses, every=every)
    # Without a run to list, show only the counts.
    return to_terminal([table]) if table.rows else Text(table.caption[-1])
