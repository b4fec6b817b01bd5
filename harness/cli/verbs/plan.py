"""``harness plan LEADERBOARD``: show what `run` would do, and why; changes nothing."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from harness.cli.support.arguments import SelectionArguments, add_selection, open_session
from harness.errors import OK, RUNS_FAILED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.plan.plan import Plan
    from harness.probe.forecast import Forecast
    from harness.session.planning import Explanation

NAME = "plan"
SUMMARY = "show what harness run would do, and why"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, a selection, and a run to explain."""
    add_selection(parser)
    parser.add_argument(
        "--explain", metavar="RUN", help="list the fields in which RUN differs from the nearest run on disk"
    )
    parser.add_argument(
        "--preflight",
        action="store_true",
        help="try each entry for a few steps, and estimate its memory and time",
    )
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the plan; exit code 1 if a preflight failed."""
    from harness.cli.support.progress import Progress
    from harness.cli.support.terminal import print_tables

    chosen = SelectionArguments.of(args)
    with Progress(quiet=args.json) as progress:
        planned = open_session(args).plan(
            chosen.leaderboard,
            models=chosen.models,
            losses=chosen.losses,
            datasets=chosen.datasets,
            preflight=args.preflight,
            on_event=progress,
        )
    plan, needs = planned.plan, planned.forecasts
    if args.explain:
        _explain(planned.explain(args.explain), as_json=args.json)
    elif args.json:
        answer = {"leaderboard": plan.leaderboard, "notes": plan.notes, "runs": _rows(plan, needs)}
        print(json.dumps(answer, indent=1))
    else:
        print_tables(planned.tables)
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
            "action": run.action,
            "reason": run.reason,
            "keys": None if run.run_spec is None else dict(run.run_spec.keys),
            "preflight": asdict(needs[run.id]) if run.id in needs else None,
        }
        for run in plan.runs
    ]


def _explain(explanation: Explanation, *, as_json: bool) -> None:
    run = explanation.run
    if as_json:
        answer = {
            "run": run.id,
            "state": run.state,
            "action": run.action,
            "reason": run.reason,
            "compared_with": explanation.compared_with,
            "differences": [
                {"field": name, "there": there, "here": here}
                for name, (there, here) in explanation.differences.items()
            ],
        }
        print(json.dumps(answer, indent=1))
        return
    print(f"{run.id}\n  {run.state}: {run.reason} (action: {run.action})")
    for name, (there, here) in explanation.differences.items():
        print(f"  {name}: {there} there, {here} here")
