"""``harness status [LEADERBOARD]``: how far runs are, from their folders alone, wherever these are seen."""

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
SUMMARY = "show how far runs are: queued, running, done, failed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which runs, and how."""
    add_run_selection(parser)
    parser.add_argument(
        "-w",
        "--watch",
        metavar="SECONDS",
        type=float,
        nargs="?",
        const=2.0,
        help="look again every so often (2 s), until nothing runs or is queued",
    )
    parser.add_argument("--all", action="store_true", help="list every run, those that are done too")
    parser.add_argument("--json", action="store_true", help="print every run as JSON")


def run(args: argparse.Namespace) -> int:
    """Look once, or until everything has ended."""
    session = open_session(args)
    found = session.status(args.leaderboard, runs=args.ids)
    if args.json:
        print(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
        return OK
    from rich.console import Console

    console = Console(highlight=False)
    if args.watch is None:
        console.print(_shown(found, every=args.all))
        return OK
    from rich.live import Live

    with Live(_shown(found, every=args.all), console=console, auto_refresh=False) as live:
        while any(one.state in ("running", "queued") for one in found):
            time.sleep(max(0.2, args.watch))
            found = session.status(args.leaderboard, runs=args.ids)
            live.update(_shown(found, every=args.all), refresh=True)
    return OK


def _shown(statuses: Sequence[Status], *, every: bool) -> RenderableType:
    from rich.text import Text

    from harness.tables.terminal import to_terminal
    from harness.views.run_status import status_table

    table = status_table(statuses, every=every)
    # Without a run to list, the counts alone.
    return to_terminal([table]) if table.rows else Text(table.caption[-1])
