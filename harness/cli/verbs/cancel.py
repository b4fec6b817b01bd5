"""``harness cancel [LEADERBOARD]``: stop runs, wherever they are; what they had saved stays."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

from harness.cli.support import selected_runs
from harness.errors import OK, RUNS_FAILED, ConfigError

if TYPE_CHECKING:
    from harness.store.runs import RunsFolder
    from harness.store.status import Status

NAME = "cancel"
SUMMARY = "stop runs that are running or queued"

PATIENCE_S = 30.0
"""A run looks every few seconds whether it is wanted, and may be in the middle of a long step."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which runs."""
    selected_runs.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print what was stopped as JSON")


def run(args: argparse.Namespace) -> int:
    """Stop them; exit code 1 if one has not stopped after half a minute."""
    if args.leaderboard is None and not args.ids:
        raise ConfigError(
            "which runs?", where="cancel", remedy="Name a leaderboard, or runs with --run 'GLOB'."
        )
    runs = selected_runs.open_runs(args)
    found = selected_runs.statuses(args, runs)
    wanted = [one for one in found if one.state in ("running", "queued")]
    # A command that has these in its plan would start them as soon as there is room.
    waiting = [one.run_id for one in found if one.state in ("waiting", "stopped")]
    for run_id in (*waiting, *(one.run_id for one in wanted)):
        runs.run(run_id).cancel()
    _in_queues(args, [one for one in wanted if one.state == "queued"])
    slow = _wait(runs, [one.run_id for one in wanted])
    stopped = [one.run_id for one in wanted if one.run_id not in slow]
    if args.json:
        print(json.dumps({"stopped": stopped, "still_running": slow, "not_begun": waiting}, indent=1))
    else:
        more = f", and {len(waiting)} that nobody works on will not begin" if waiting else ""
        print(f"stopped {len(stopped)} of {len(wanted)} runs{more}; harness run goes on with them")
        for run_id in slow:
            print(f"still at work: {run_id}; it stops at its next step")
    return RUNS_FAILED if slow else OK


def _in_queues(args: argparse.Namespace, queued: list[Status]) -> None:
    """Take jobs out of the queues of the engines that have them."""
    if not queued:
        return
    from harness.cli.support import board as boards
    from harness.cli.support.executors import open_named

    file = boards.open_project(args)
    for name in sorted({one.executor for one in queued}):
        executor = open_named(file, boards.plugin_files(args, file), name)
        try:
            for one in queued:
                if one.executor == name:
                    executor.cancel(one.handle)
        finally:
            executor.close()


def _wait(runs: RunsFolder, ids: list[str]) -> list[str]:
    """Those that are still held after `PATIENCE_S`."""
    end = time.monotonic() + PATIENCE_S
    left = [run_id for run_id in ids if runs.run(run_id).busy()]
    while left and time.monotonic() < end:
        time.sleep(0.2)
        left = [run_id for run_id in left if runs.run(run_id).busy()]
    return left
