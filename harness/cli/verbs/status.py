"""``harness status [LEADERBOARD]``: how far runs are, from their folders alone, wherever these are seen."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.cli.support import selected_runs
from harness.errors import OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from harness.store.status import State, Status

NAME = "status"
SUMMARY = "show how far runs are: queued, running, done, failed"

EACH = 15
"""Runs that are shown of a state, unless all are wanted."""

SILENT_S = 60.0
"""A running one that was not heard of for longer is marked."""

MARKS: dict[State, str] = {
    "running": "▶",
    "queued": "…",
    "failed": "✗",
    "cancelled": "■",
    "stopped": "‖",
    "waiting": "·",
    "done": "✓",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which runs, and how."""
    selected_runs.add_arguments(parser)
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
    runs = selected_runs.open_runs(args)
    found = selected_runs.statuses(args, runs)
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
            found = selected_runs.statuses(args, runs)
            live.update(_shown(found, every=args.all), refresh=True)
    return OK


def _shown(found: Sequence[Status], *, every: bool) -> RenderableType:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    counts = Counter(one.state for one in found)
    told = ", ".join(f"{counts[state]} {state}" for state in MARKS if counts[state])
    line = Text(f"{len(found)} runs: {told}" if found else "no runs")
    listed = [one for one in found if every or one.state != "done"]
    if not listed:
        return line
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1))
    table.add_column("", no_wrap=True)
    table.add_column("run", overflow="fold")
    table.add_column("how far", overflow="fold")
    table.add_column("where", overflow="fold")
    several = len({one.leaderboard for one in found}) > 1
    left: Counter[State] = Counter()
    shown: Counter[State] = Counter()
    for one in listed:
        if not every and shown[one.state] >= EACH:
            left[one.state] += 1
            continue
        shown[one.state] += 1
        many = f" s{one.seed} f{one.fold}" if one.seed or one.fold else ""
        name = f"{one.leaderboard}: {one.name}{many}" if several else f"{one.name}{many}"
        table.add_row(*map(_plain, (f"{MARKS[one.state]} {one.state}", name, _far(one), _where(one))))
    more = [Text(f"… and {count} more {state}; --all lists them") for state, count in left.items()]
    return Group(table, *more, line)


def _plain(text: str) -> RenderableType:
    """Text that came from files: never markup, never control characters."""
    from rich.text import Text

    from harness.tables.clean import clean

    return Text(clean(text))


def _far(one: Status) -> str:
    from harness.cli.support.progress import describe, duration

    if one.state == "failed":
        return f"{one.blame}: {one.message}" if one.blame else one.message
    figures = dict(one.figures)
    if one.state not in ("running", "stopped", "cancelled") or not figures:
        return ""
    epoch = f"epoch {figures['epoch']}/{figures['epochs']}" if figures.get("epochs") else ""
    words = [epoch] if one.state != "running" else [epoch, describe(figures)]
    if one.silent_s is not None and one.silent_s > SILENT_S:
        words.append(f"silent for {duration(one.silent_s)}")
    return ", ".join(word for word in words if word)


def _where(one: Status) -> str:
    if one.state == "running":
        return one.host
    return f"{one.executor} {one.handle}" if one.state == "queued" else ""
