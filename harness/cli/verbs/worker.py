"""``harness worker RUN_FOLDER``: execute one run in this process; started by executors, not by people."""

from __future__ import annotations

import argparse
from pathlib import Path

NAME = "worker"
SUMMARY = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder of the run."""
    parser.add_argument("folder", type=Path)
    parser.add_argument("--timeout", type=float, help="stop after this many seconds")
    parser.add_argument("--parent", type=int, help="stop when this process has ended")


def run(args: argparse.Namespace) -> int:
    """Execute the run."""
    from harness.execute.worker import work

    return work(args.folder, args.parent, args.timeout)
