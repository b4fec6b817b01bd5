"""``harness cancel [LEADERBOARD]``: stop runs on any machine; their checkpoints stay."""

from __future__ import annotations

import argparse
import json

from harness.cli.support.arguments import add_run_selection, open_session
from harness.errors import OK, RUNS_FAILED

NAME = "cancel"
SUMMARY = "stop runs that are running or queued"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that select runs."""
    add_run_selection(parser)
    parser.add_argument("--json", action="store_true", help="print the ids of cancelled runs as JSON")


def run(args: argparse.Namespace) -> int:
    """Stop the selected runs; exit code 1 if one has not stopped after half a minute."""
    outcome = open_session(args).cancel(args.leaderboard, runs=args.ids)
    stopped, slow, not_begun = outcome.stopped, outcome.still_running, outcome.not_begun
    if args.json:
        print(json.dumps({"stopped": stopped, "still_running": slow, "not_begun": not_begun}, indent=1))
    else:
        more = f", and cancelled {len(not_begun)} that were not running" if not_begun else ""
        print(f"stopped {len(stopped)} of {len(stopped) + len(slow)} runs{more}; harness run continues them")
        for run_id in slow:
            print(f"still running: {run_id}; it stops at its next step")
    return RUNS_FAILED if slow else OK
