"""``harness data check NAME``: audit a dataset before training on it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from harness.cli.support.arguments import add_runs, open_session
from harness.errors import OK, RUNS_FAILED

NAME = "data"
SUMMARY = "check the files of a dataset"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The action and the dataset."""
    parser.add_argument("action", choices=("check",), help="read every case and report problems")
    parser.add_argument("dataset", help="name of a dataset, or name[key=value]")
    parser.add_argument(
        "--data",
        metavar="NAME=PATH",
        action="append",
        default=[],
        help="folder of the dataset, such as acdc=PATH",
    )
    add_runs(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the findings in one table; exit code 1 if one of them is an error."""
    from harness.cli.support.progress import Progress
    from harness.cli.support.terminal import print_tables

    with Progress(quiet=args.json) as progress:
        audit = open_session(args).check_data(args.dataset, on_event=progress)
    if args.json:
        print(json.dumps([asdict(finding) for finding in audit.findings], indent=1, ensure_ascii=False))
    else:
        print_tables(audit.tables)
    return OK if audit.ok else RUNS_FAILED
