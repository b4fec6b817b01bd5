"""What a run records of its cost: times that add up, latency without warm-up, memory."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from made_specs import run_protocol, run_spec
from tiny_project import Project

from harness.data.case import Case, Volume
from harness.errors import DataError
from harness.measure import clocks
from harness.measure.compute import Compute
from harness.pipeline import evaluation_stage as evaluating
from harness.pipeline import stages
from harness.pipeline.saved_predictions import PredictionWriter
from harness.store.runs import RunFolder

SPEC = run_spec(structures={"LV": 1}, scoring=run_protocol(metrics=("dice",)))


def case(number: int, depth: int = 2, side: int = 8) -> Case:
    """A case of which every slice shows the same rectangle."""

    def read() -> Volume:
        labels = np.zeros((depth, side, 8), np.uint8)
        labels[:, 2:5, 2:6] = 1
        return Volume(labels[None].astype(np.float32), labels, (8.0, 1.5, 1.5))

    return Case(f"c{number}", f"p{number}", None, read)


def evaluated(
    predictor: Any, test: list[Case], clock: clocks.Phases, predictions: PredictionWriter | None = None
) -> evaluating.Evaluated:
    """What `evaluate` makes of cases that a stand-in predicts."""
    return evaluating.evaluate(
        predictor, SPEC, test, clock=clock, predictions=predictions, report=lambda progress: None
    )


class Time:
    now = 0.0

    def perf_counter(self) -> float:
        return self.now


def test_latency_is_measured_alone_after_warm_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A first call is slow by what it loads and tunes; a user's hundredth volume does not pay that."""
    time = Time()
    monkeypatch.setattr(evaluating, "time", time)
    monkeypatch.setattr(clocks, "time", time)

    class Predictor:
        compute = Compute(torch.device("cpu"), "fp32")
        # The first call, a pass over the cases while others are read and scored, the latency loop.
        durations: ClassVar = [100.0, *[4.0] * 3, *[1.0, 2.0, 3.0]]

        def __call__(self, volume: Volume) -> Any:
            time.now += self.durations.pop(0)
            return volume.labels

    clock = clocks.Phases()
    made = evaluated(Predictor(), [case(n) for n in range(3)], clock, PredictionWriter(tmp_path / "kept"))
    assert (made.time_s["volume_median"], made.time_s["volume_n"]) == (2, 3)
    assert made.time_s["volumes_per_s"] == pytest.approx(1 / 4)
    seconds = clock.seconds()
    assert (seconds["warm-up"], seconds["predict"], seconds["latency"]) == (100, 12, 6)
    assert [(row.case, row.value) for row in made.rows] == [("c0", 1.0), ("c1", 1.0), ("c2", 1.0)]
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [f"c{n}.nii.gz" for n in range(3)]


def test_where_algorithms_are_chosen_the_first_volume_of_each_depth_is_no_measure() -> None:
    """Networks see slices of one size, whatever the scanner's, so a shape is a depth."""
    depths: list[int] = []

    class Chooses(Compute):
        chooses = True

    class Predictor:
        compute = Chooses(torch.device("cpu"), "fp32")

        def __call__(self, volume: Volume) -> Any:
            assert volume.labels is not None
            depths.append(len(volume.labels))
            return volume.labels

    test = [case(0, 2, 8), case(1, 3, 8), case(2, 2, 9)]
    evaluated(Predictor(), test, clocks.Phases())
    assert depths == [2, 2, 3, 3, 2, *[2, 3, 2]]


PHASES = (
    "setup",
    "prepare",
    "first step",
    "train",
    "validate",
    "checkpoint",
    "read",
    "warm-up",
    "predict",
    "latency",
    "score",
    "observers",
    "heartbeat",
)


def test_a_record_accounts_for_its_time_and_memory(done_project: Project) -> None:
    for run in done_project.run_folders():
        record = json.loads((run / "record.json").read_text())
        time_s, memory = record["time_s"], record["memory_mib"]
        assert all(time_s[name] >= 0 for name in PHASES)
        told = sum(time_s[name] for name in PHASES)
        assert 0.98 * time_s["wall"] - 0.02 <= told <= time_s["wall"] + 0.01
        assert time_s["volume_n"] == 4  # two test patients, two phases
        assert 0 < time_s["volume_median"] <= time_s["volume_p95"]
        assert 0 < time_s["step_median"] <= time_s["step_p95"]
        assert memory["host_peak"] > 10
        if not torch.cuda.is_available():
            assert all(value is None for name, value in memory.items() if name.startswith("gpu"))
        assert record["model"]["parameters"] > 0
        assert record["model"]["flops"] > 0
        assert len(record["history"]) == 4


def opened(
    project: Project,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[dict[str, Any]], None],
) -> Any:
    """Open the dataset of a run as its worker does; `change` alters the specification in its folder."""
    run = Path(shutil.copytree(project.run_folders()[0], folder / "run"))
    spec = json.loads((run / "spec.json").read_text())
    manifest = SimpleNamespace(hash=spec["manifest_hash"], identical=())
    change(spec)
    (run / "spec.json").write_text(json.dumps(spec))
    source = SimpleNamespace(cases=(), structures={})
    monkeypatch.setattr(stages, "open_spec", lambda *arguments: source)
    monkeypatch.setattr(stages, "build_manifest", lambda *arguments: manifest)
    place = RunFolder(run)
    reporter: Any = None
    return stages.RunPipeline(place, place.spec(), place.local(), reporter, lambda figures: None)._open()


def test_a_run_refuses_to_train_on_a_patient_that_it_tests(
    done_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker checks the sets of the specification that it finds, whoever wrote it."""

    def leak(spec: dict[str, Any]) -> None:
        spec["parts"]["train"].append(spec["parts"]["test"][0])

    with pytest.raises(DataError, match="is in both the train and the test set"):
        opened(done_project, tmp_path, monkeypatch, leak)


def test_a_run_refuses_data_that_changed_since_it_was_planned(
    done_project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise its key would name data that it never saw."""
    with pytest.raises(DataError, match="changed since this run was planned"):
        opened(done_project, tmp_path, monkeypatch, lambda spec: spec.update(manifest_hash="0" * 64))
