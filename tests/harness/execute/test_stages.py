"""What a run records of its cost: times that add up, latency without warm-up, memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_project import Project

from harness.data.case import Case, Volume
from harness.execute import stages
from harness.execute.stages import Run
from harness.measure import clocks
from harness.measure.compute import Compute
from harness.plugins.records import Task
from harness.store.runs import RunFolder


class Time:
    now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Quiet:
    def beat(self, figures: object, *, now: bool = False) -> None:
        pass


def test_latency_leaves_out_the_first_prediction_reading_and_scoring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first call is slow by what it loads and tunes; a user's hundredth volume does not pay that."""
    time = Time()
    monkeypatch.setattr(stages, "time", time)
    monkeypatch.setattr(clocks, "time", time)

    class Predictor:
        def __init__(self, *_: object) -> None:
            self.durations = [100.0, 1.0, 2.0, 3.0]

        def __call__(self, volume: Volume) -> Any:
            time.now += self.durations.pop(0)
            return volume.labels

    def read() -> Volume:
        time.now += 10
        labels = np.zeros((2, 8, 8), np.uint8)
        labels[:, 2:5, 2:6] = 1
        return Volume(labels[None].astype(np.float32), labels, (8.0, 1.5, 1.5))

    monkeypatch.setattr(stages, "Predictor", Predictor)
    spec: dict[str, Any] = {
        "dataset": {"structures": {"LV": 1}},
        "protocol": {
            "keep_predictions": False,
            "metrics": ["dice"],
            "empty": {"one_empty_distance": "diagonal", "both_empty": "exclude"},
        },
    }
    run = Run(RunFolder(tmp_path), spec, {}, Quiet(), lambda figures: None)  # type: ignore[arg-type]
    cases = [Case(f"c{n}", f"p{n}", None, read) for n in range(3)]
    task = Task(2, 1, 2, (1.0, 1.0), ("LV",))
    rows, volume_s = run._predict_and_score(
        torch.nn.Identity(), task, Compute(torch.device("cpu"), "fp32"), cases
    )
    assert volume_s == [1, 2, 3]
    seconds = run.clock.seconds()
    assert (seconds["warm-up"], seconds["predict"], seconds["read"]) == (100, 6, 30)
    assert [(row.case, row.value) for row in rows] == [("c0", 1.0), ("c1", 1.0), ("c2", 1.0)]


PHASES = ("setup", "prepare", "train", "validate", "checkpoint", "read", "warm-up", "predict", "score")


def test_a_record_accounts_for_its_time_and_memory(done_project: Project) -> None:
    for run in done_project.run_folders():
        record = json.loads((run / "record.json").read_text())
        time_s, memory = record["time_s"], record["memory_mib"]
        assert all(time_s[name] >= 0 for name in PHASES)
        assert sum(time_s[name] for name in PHASES) <= time_s["wall"] + 0.01
        assert time_s["volume_n"] == 4  # two test patients, two phases
        assert 0 < time_s["volume_median"] <= time_s["volume_p95"]
        assert 0 < time_s["step_median"] <= time_s["step_p95"]
        assert memory["host_peak"] > 10
        if not torch.cuda.is_available():
            assert all(value is None for name, value in memory.items() if name.startswith("gpu"))
        assert record["model"]["parameters"] > 0
        assert record["model"]["flops"] > 0
        assert len(record["history"]) == 4
