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

STYLES = {"done": "green", "resume": "cyan", "running": "cyan", "todo": "yellow", "skipped": "dim"}


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
    from harness.plan.plan import make_plan
    from harness.probe.forecast import forecast

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
        _print(plan, board.title, needs)
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
            "keys": run.spec.get("keys"),
            "preflight": asdict(needs[run.id]) if run.id in needs else None,
        }
        for run in plan.runs
    ]


def _print(plan: Plan, title: str, needs: Mapping[str, Forecast]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    datasets = {run.entry.dataset.label for run in plan.runs}
    table = Table(
        title=f"plan of {title}", title_justify="left", box=None, header_style="bold", pad_edge=False
    )
    table.add_column("state", no_wrap=True)
    table.add_column("entry", overflow="fold")
    if len(datasets) > 1:
        table.add_column("dataset")
    table.add_column("seed", justify="right")
    table.add_column("fold", justify="right")
    table.add_column("run", no_wrap=True)
    if needs:
        table.add_column("memory", justify="right", no_wrap=True)
        table.add_column("time", justify="right", no_wrap=True)
    table.add_column("reason", overflow="fold", ratio=1)
    for run in plan.runs:
        cells = [f"[{STYLES[run.state]}]{run.state}[/]", escape(run.entry.label)]
        if len(datasets) > 1:
            cells.append(escape(run.entry.dataset.label))
        key = run.id.rpartition("__")[2]
        cells += [str(run.seed), str(run.fold), key]
        need = needs.get(run.id)
        if needs:
            cells += [_memory(need), _time(need.seconds if need else None)]
        reason = f"preflight failed: {need.failure}" if need and need.failure else run.reason
        table.add_row(*cells, escape(reason))
    console.print(table)
    if needs:
        total = sum(need.seconds or 0.0 for need in needs.values())
        console.print(
            f"Preflight: {_time(total)} for what is not done, one run after another, by a few steps each; "
            "reading and preparing data come on top. Memory: of the GPU, or of the process without one.",
            style="dim",
        )
    for note in plan.notes:
        console.print(f"note: {escape(note)}", soft_wrap=True)


def _memory(need: Forecast | None) -> str:
    return f"{need.memory_mib / 1024:.1f} GiB" if need and need.memory_mib is not None else "—"


def _time(seconds: float | None) -> str:
    from harness.cli.support.progress import duration

    return "—" if seconds is None else duration(seconds)


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
