"""``harness data check NAME``: an audit of a dataset before anything is trained on it."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from harness.cli.support import board as boards
from harness.errors import OK, RUNS_FAILED

NAME = "data"
SUMMARY = "audit a dataset"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which dataset."""
    parser.add_argument("action", choices=("check",), help="read every case and judge")
    parser.add_argument("dataset", help="a dataset: name or name[key=value]")
    parser.add_argument(
        "--data", metavar="NAME=PATH", action="append", default=[], help="where it lies, such as acdc=PATH"
    )
    boards.add_runs(parser)
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Print one table; exit code 1 if there is an error among the findings."""
    from harness.cli.support.progress import Progress
    from harness.cli.support.terminal import print_tables
    from harness.config.load import load
    from harness.data.audit import audit
    from harness.plan.choice import choose
    from harness.plan.data import open_choice, root_of
    from harness.plugins import manager
    from harness.store.runs import RunsFolder
    from harness.views.audit_findings import audit_table

    file = boards.open_project(args)
    project = load(file)
    registry = manager.load(boards.plugin_files(args, file))
    choice = choose(registry, "dataset", args.dataset)
    runs = RunsFolder(args.runs if args.runs is not None else project.root / "runs")
    root = root_of(project, choice, runs, boards.data_roots(args.data, registry))
    with Progress(quiet=args.json) as progress:
        findings = audit(open_choice(choice, root), progress.reading)
    if args.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False))
    else:
        print_tables([audit_table(choice.label, findings)])
    return RUNS_FAILED if any(finding.severity == "error" for finding in findings) else OK
