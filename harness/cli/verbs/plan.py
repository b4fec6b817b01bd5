"""``harness plan LEADERBOARD``: what `run` would do, and why; changes nothing."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.cli.support import board as boards
from harness.errors import OK, RUNS_FAILED, ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.plan.plan import Plan
    from harness.probe.forecast import Forecast
    from harness.store.runs import RunsFolder

NAME = "plan"
SUMMARY = "show what run would do, and why"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and a run to explain."""
    boards.add_selection(parser)
    parser.add_argument(
        "--explain", metavar="RUN", help="every field in which this run differs from what is on disk"
    )
    parser.add_argument(
        "--preflight",
        action="store_true",
        help="try each entry for a few steps: memory that it needs, and time that its runs will take",
    )
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the plan; exit code 1 if a preflight failed."""
    from harness.cli.support.progress import Progress
    from harness.cli.support.terminal import print_tables
    from harness.plan.plan import make_plan
    from harness.probe.forecast import forecast
    from harness.views.plan_table import plan_table

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
            advance=progress.reading,
        )
        needs = forecast(list(plan.runs), plan.manifests, progress.trying) if args.preflight else {}
    if args.explain:
        _explain(plan, board.runs, args.explain, args.json)
    elif args.json:
        print(
            json.dumps(
                {"leaderboard": board.title, "notes": plan.notes, "runs": _rows(plan, needs)}, indent=1
            )
        )
    else:
        print_tables([plan_table(plan, needs)])
    return RUNS_FAILED if any(need.failure for need in needs.values()) else OK


def _rows(plan: Plan, needs: Mapping[str, Forecast]) -> list[dict[str, object]]:
    return [
        {
            "run": run.id or None,
            "entry": run.entry.label,
            "dataset": run.entry.dataset.label,
            "seed": run.seed,
            "fold": run.fold,
            "state": run.state,
            "reason": run.reason,
            "keys": None if run.run_spec is None else dict(run.run_spec.keys),
            "preflight": asdict(needs[run.id]) if run.id in needs else None,
        }
        for run in plan.runs
    ]


def _explain(plan: Plan, runs: RunsFolder, wanted: str, as_json: bool) -> None:
    from harness.plan.explain import nearest_run

    ids = [run.id for run in plan.runs if run.id]
    found = [run for run in plan.runs if run.id and wanted in (run.id, run.id.rpartition("__")[2])]
    if not found:
        found = [run for run in plan.runs if run.id and wanted in run.id]
    if len(found) != 1:
        what = "several runs" if found else "no run"
        remedy = "Give the last part of its id." if found else nearest(wanted, ids)
        raise ConfigError(f"{what} of this plan match '{wanted}'", where="--explain", remedy=remedy)
    run = found[0]
    near = nearest_run(run.spec, runs.all())
    differences = near[1] if near else []
    if as_json:
        answer = {
            "run": run.id,
            "state": run.state,
            "reason": run.reason,
            "compared_with": near[0].id if near else None,
            "differences": [{"field": f, "there": a, "here": b} for f, a, b in differences],
        }
        print(json.dumps(answer, indent=1))
        return
    print(f"{run.id}\n  {run.state}: {run.reason}")
    for field, there, here in differences:
        print(f"  {field}: {there} there, {here} here")
