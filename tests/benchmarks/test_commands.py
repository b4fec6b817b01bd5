"""What a command costs before it does anything, and planning and ranking of ten thousand runs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from bench import many_runs

from harness.execute.scheduler import ScheduleOutcome, schedule
from harness.session.rebuild import rebuild

ENTRIES = 400
RUNS = ENTRIES * many_runs.SEEDS * many_runs.FOLDS
ROUNDS = 7


@pytest.mark.parametrize("command", ["--help", "plugins"])
def test_start_up(benchmark: Any, command: str) -> None:
    """In turns with an interpreter that does nothing."""
    nothing: list[float] = []

    def interpreter() -> None:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        nothing.append(time.perf_counter() - start)

    def harness() -> None:
        subprocess.run([sys.executable, "-m", "harness", command], check=True, stdout=subprocess.DEVNULL)

    benchmark.pedantic(harness, setup=interpreter, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info.update(table="commands", work=f"harness {command}", interpreter=nothing)


def test_planning(benchmark: Any, tmp_path: Path) -> None:
    board = many_runs.make(tmp_path / "project", ENTRIES, test=2)
    many_runs.planned(board)
    plan = benchmark.pedantic(lambda: many_runs.planned(many_runs.reopened(board.project.root)), rounds=3)
    assert len(plan.runs) == RUNS
    benchmark.extra_info.update(table="many runs", work=f"planning {RUNS:,} runs, none on disk")


def test_driving(benchmark: Any, tmp_path: Path) -> None:
    """Submitted, watched and told, a thousand at once, by an executor whose workers take no time."""
    board = many_runs.make(tmp_path / "project", ENTRIES, test=2)
    plan = many_runs.planned(board)
    process = psutil.Process()
    before = process.memory_info().rss

    def schedule_all() -> ScheduleOutcome:
        return schedule(plan.runs, board.runs, lambda *event: None, many_runs.Cluster(1000))

    outcome = benchmark.pedantic(schedule_all, rounds=1)
    grown = (process.memory_info().rss - before) / 2**20
    assert len(outcome.done) == RUNS
    work = f"driving {RUNS:,} runs, 1,000 at once; memory grew by {grown:.0f} MiB"
    benchmark.extra_info.update(table="many runs", work=work)


@pytest.fixture(scope="module", params=[2, 10], ids=lambda test: f"{test} patients")
def finished(request: Any, tmp_path_factory: Any) -> Any:
    """Ten thousand finished runs: 400 entries, five seeds, five folds."""
    root = tmp_path_factory.mktemp("finished") / "project"
    board = many_runs.make(root, ENTRIES, test=request.param)
    return root, many_runs.finish(board, many_runs.planned(board))


def test_planning_what_is_done(benchmark: Any, finished: Any) -> None:
    root, scores = finished
    plan = benchmark.pedantic(lambda: many_runs.planned(many_runs.reopened(root)), rounds=2)
    assert {run.state for run in plan.runs} == {"done"}
    work = f"planning {RUNS:,} runs, all done, {scores} scores each"
    benchmark.extra_info.update(table="many runs", work=work)


def test_rebuilding(benchmark: Any, finished: Any) -> None:
    """From run folders to the ranked board and its files, bootstrap and all."""
    root, scores = finished
    built = benchmark.pedantic(lambda: rebuild(many_runs.reopened(root)), rounds=2)
    assert sum(len(result.records) for result in built.board.results) == RUNS
    work = f"leaderboard of {RUNS:,} runs, {scores} scores each"
    benchmark.extra_info.update(table="many runs", work=work)
