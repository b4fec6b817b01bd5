"""The benchmarks themselves: that they still run, and that their page says what was measured."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from bench import augmenting, many_runs, predicting, preparing, training
from bench.work import Work

from harness.session.rebuild import rebuild

BENCHMARKS = Path(__file__).parent / "benchmarks"
TINY = [Work("unet2d[base=2,depth=1]", "quick", 1), Work("unet3d[base=2,depth=1]", "quick", 1)]


class EndError(Exception):
    """Enough turns."""


def played(way: Any, work: Any, turns: int = 2) -> list[dict[str, Any]]:
    """What a way says of its first turns."""
    seen: list[dict[str, Any]] = []

    def turn(figures: dict[str, Any]) -> None:
        seen.append(figures)
        if len(seen) == turns:
            raise EndError

    with pytest.raises(EndError):
        way(work, turn)
    return seen


@pytest.mark.parametrize("work", TINY, ids=lambda work: f"{work.dims}d")
@pytest.mark.parametrize("way", [training.harness, training.bare, augmenting.harness, predicting.harness])
def test_every_contest_can_be_played(way: Any, work: Work) -> None:
    """A change of training or prediction would show only when somebody benchmarks again."""
    for figures in played(way, work):
        assert figures["steps"] == 1
        assert figures["seconds"] > 0
        assert figures.get("data_s", 1) > 0


def test_the_harness_trains_on_the_whole_epoch() -> None:
    """Fewer steps than the peers take would be a gain that is none."""
    works = [Work("unet2d[base=2,depth=1]", "quick", 3), Work("unet3d[base=2,depth=1]", "quick", 2)]
    for work in works:
        prepared = work.prepared()
        samples = len(prepared.images) if work.dims == 2 else len(prepared.ids)
        assert samples == work.steps * work.settings().batch
        assert played(training.harness, work)[1]["steps"] == work.steps


def test_preparation_can_be_timed(tmp_path: Path) -> None:
    preparing.write_files(tmp_path, 2)
    for figures in played(preparing.harness, preparing.Files(str(tmp_path), 2)):
        assert figures["steps"] == 2
        assert figures["again_s"] < figures["seconds"]


def test_made_records_are_ranked(tmp_path: Path) -> None:
    """Records that the leaderboard leaves out would be read, and nothing built of them."""
    board = many_runs.make(tmp_path / "project", entries=2, test=1)
    plan = many_runs.planned(board)
    assert many_runs.finish(board, plan) == 36
    assert {run.state for run in many_runs.planned(many_runs.reopened(board.project.root)).runs} == {"done"}
    results = rebuild(board).board.results
    assert [len(result.records) for result in results] == [25, 25]
    assert {result.rank for result in results} == {1, 2}


def report() -> Any:
    spec = importlib.util.spec_from_file_location("benchmark_report", BENCHMARKS / "report.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(gpu: str | None, absent: list[str]) -> dict[str, Any]:
    """A file as `make bench` leaves it: two rounds in which the plain way took 2 and 4 times as long."""
    turns: dict[str, Any] = {
        "harness": [
            {"seconds": 1.0, "epoch_s": 1.5, "data_s": 0.04, "steps": 10, "threads": 2},
            {"seconds": 2.0, "epoch_s": 3.0, "data_s": 0.08, "steps": 10},
        ],
        "bare": [{"seconds": 0.96, "steps": 10}, {"seconds": 1.92, "steps": 10}],
    }
    if "monai" not in absent:
        turns["monai"] = [
            {"seconds": 2.0, "data_s": 0.5, "steps": 10},
            {"seconds": 8.0, "data_s": 2.0, "steps": 10},
        ]
    machine = {
        "gpu": gpu,
        "cpu": "a CPU",
        "cores": 2,
        "ram_gib": 8.0,
        "precision": "bf16",
        "versions": {"torch": "2.13.0"},
        "loadavg": [0.5, 0, 0],
        "loadavg_after": [2.25, 0, 0],
    }
    info = {"table": "training", "work": "unet2d, 16 × 128 × 128", "turns": turns, "absent": absent}
    return {
        "machine_info": {"harness": machine, "python_version": "3.13.0"},
        "datetime": "2026-01-02T03:04:05",
        "benchmarks": [{"name": "test_x", "group": None, "extra_info": info, "stats": {"median": 1.5}}],
    }


def test_the_page_tells_ratios_of_rounds_and_that_no_gpu_was_there() -> None:
    page = report().page([measured(None, [])])
    row = next(line for line in page.splitlines() if line.startswith("| unet2d"))
    # Step: the median of 100 and 200 ms. MONAI: of 2 and 4 times. Data: 4 % here, 25 % there.
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "unet2d, 16 × 128 × 128", "150 ms", "6.67", "96 %", "3.0", "4.0 %", "25.0 %", "1.50",
    ]  # fmt: skip
    assert "a CPU, 2 cores, 8 GiB; 2 threads per library, Harness in bf16; " in page
    assert "load 0.5 before, 2.2 after; 2026-01-02." in page
    assert page.index("## GPU") < page.index("No GPU was available")


def test_a_gpus_figures_stand_in_its_section_and_what_was_absent_is_named() -> None:
    page = report().page([measured(None, []), measured("NVIDIA Z1", ["monai"])])
    gpu = page[page.index("## GPU") :]
    assert "NVIDIA Z1" in gpu
    assert "No GPU was available" not in page
    assert "Not installed: MONAI." in gpu
    assert "Not installed" not in page[: page.index("## GPU")]
