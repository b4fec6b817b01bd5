"""The stages of one run: prepare, train, predict, score, record."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.data.case import Case
from harness.data.manifest import build_manifest
from harness.data.prepare import prepare
from harness.data.source import Source, open_spec
from harness.data.split import Parts, guard
from harness.errors import DataError
from harness.execute.heart import Heart
from harness.execute.keep import keep
from harness.execute.scoring import Scorer, Scoring
from harness.measure.clocks import Phases, median_and_p95
from harness.measure.compute import Compute
from harness.measure.cost import flops, parameters
from harness.measure.memory import device_peak, host_peak, reset_peak
from harness.measure.provenance import environment, hardware
from harness.plugins.blame import calling
from harness.plugins.records import Task
from harness.plugins.resolve import source_hash
from harness.predict.native import Predictor
from harness.store.record import CaseScore, Record
from harness.store.runs import RunFolder
from harness.train import checkpoint
from harness.train.batches import Resident
from harness.train.build import make_loss, make_model, make_task
from harness.train.loop import Trained, train


@dataclass
class Run:
    """One run on its way. `phase` is what it is at, for the failure's sake."""

    folder: RunFolder
    spec: dict[str, Any]
    local: dict[str, Any]
    heart: Heart
    epoch_ended: Callable[[Mapping[str, Any]], None]
    phase: str = "setup"
    clock: Phases = field(default_factory=Phases)

    def execute(self, attempts: int) -> Record:
        """Carry the run out and give its record."""
        self.enter("setup")
        spec = self.spec
        with self.clock("setup"):
            compute = Compute.choose(spec["protocol"]["precision"])
            if spec["protocol"]["deterministic"]:
                torch.use_deterministic_algorithms(True)
            source = self._open()
            by_id = {case.id: case for case in source.cases}
        model, task, trained, memory = self._train(source, compute)
        test = [by_id[id_] for id_ in _ids(source, spec["parts"]["test"])]
        reset_peak(compute.device)
        cases, volume_s = self._predict_and_score(model, task, compute, test)
        allocated, reserved = device_peak(compute.device)
        step_median, step_p95 = median_and_p95(trained.step_s)
        volume_median, volume_p95 = median_and_p95(volume_s)
        return Record(
            run_id=spec["run_id"],
            keys=spec["keys"],
            spec=spec,
            status="done",
            attempts=attempts,
            plugins=provenance(spec),
            environment=environment(compute),
            hardware=hardware(compute),
            data={
                "manifest_hash": spec["manifest_hash"],
                "split_hash": spec["split_hash"],
                "patients": {name: len(patients) for name, patients in spec["parts"].items()},
            },
            model=_cost(model, task, spec),
            time_s={
                **{name: round(seconds, 4) for name, seconds in self.clock.seconds().items()},
                "step_median": step_median,
                "step_p95": step_p95,
                "steps": len(trained.step_s),
                "volume_median": volume_median,
                "volume_p95": volume_p95,
                "volume_n": len(volume_s),
            },
            memory_mib={
                **memory,
                "gpu_predict_allocated": allocated,
                "gpu_predict_reserved": reserved,
                # Training may have been another process's.
                "host_peak": round(max(host_peak(), memory.get("host_peak") or 0.0), 1),
            },
            history=tuple(trained.history),
            cases=tuple(cases),
        )

    def _open(self) -> Source:
        """The dataset, if it is still the one that was planned with."""
        source = open_spec(self.spec, Path(self.local["root"]))
        manifest = build_manifest(source.cases, source.structures, Path(self.local["manifest"]))
        if manifest.hash != self.spec["manifest_hash"]:
            raise DataError(
                "the dataset has changed since this run was planned",
                where=self.local["root"],
                remedy="Run again: what depends on it is planned anew.",
            )
        guard(Parts(**{name: tuple(patients) for name, patients in self.spec["parts"].items()}), manifest)
        return source

    def enter(self, phase: str) -> None:
        """Note and show what the run is at."""
        self.phase = phase
        self.heart.beat({"phase": phase}, now=True)

    def _train(
        self, source: Source, compute: Compute
    ) -> tuple[torch.nn.Module, Task, Trained, dict[str, float | None]]:
        spec, folder = self.spec, self.folder
        key = spec["keys"]["train"]
        weights = _load_weights(folder.weights, key, compute.device)
        if weights is not None:
            task = make_task(spec, weights["channels"])
            model = compute.place(make_model(spec, task), task.dims)
            model.load_state_dict(weights["model"])
            self.clock.resume(weights["seconds"])
            return model, task, Trained(weights["history"], weights["step_s"]), weights["memory"]

        self.enter("prepare")
        with self.clock("prepare"):
            prepared = prepare(
                source.cases,
                source.structures,
                spec["protocol"],
                Path(self.local["cache"]) / "prepared" / spec["keys"]["prepare"][:24],
                lambda done, total: self.heart.beat({"prepared": done, "cases": total}),
            )
        self.enter("train")
        with self.clock("setup"):
            task = make_task(spec, prepared.images.shape[1])
            model = compute.place(make_model(spec, task), task.dims)
            criterion = make_loss(spec, task).to(compute.device)
            training = Resident.of(prepared, _ids(source, spec["parts"]["train"]), compute.device)
            held_out = _ids(source, spec["parts"]["validation"])
            validation = Resident.of(prepared, held_out, compute.device) if held_out else None
        reset_peak(compute.device)
        trained = train(
            model,
            criterion,
            task,
            spec,
            training,
            validation,
            compute=compute,
            folder=folder.path,
            clock=self.clock,
            report=self._report,
        )
        allocated, reserved = device_peak(compute.device)
        memory = {
            "gpu_train_allocated": allocated,
            "gpu_train_reserved": reserved,
            "host_peak": host_peak(),
        }
        with self.clock("checkpoint"):
            state = {
                "key": key,
                "channels": prepared.images.shape[1],
                "model": model.state_dict(),
                "history": trained.history,
                "step_s": trained.step_s,
                "memory": memory,
                "seconds": self.clock.seconds(),
            }
            checkpoint.write_state(folder.weights, state)
            checkpoint.discard(folder.path)
        return model, task, trained, memory

    def _report(self, figures: Mapping[str, Any]) -> None:
        ended = "loss" in figures
        self.heart.beat({**figures, "train_s": self.clock.seconds().get("train", 0.0)}, now=ended)
        if ended:
            self.epoch_ended(figures)

    def _predict_and_score(
        self, model: torch.nn.Module, task: Task, compute: Compute, test: list[Case]
    ) -> tuple[list[CaseScore], list[float]]:
        self.enter("predict")
        spec = self.spec
        model.eval()
        predictor = Predictor(model, task, spec["protocol"], compute)
        value_of = np.array([0, *spec["dataset"]["structures"].values()], np.uint8)
        volume_s: list[float] = []
        with Scorer(Scoring.of(spec), SCORERS if compute.device.type == "cuda" else 0) as scorer:
            for number, case in enumerate(test):
                with self.clock("read"), calling("dataset"):
                    volume = case.read()
                if number == 0:
                    with self.clock("warm-up"):
                        predictor(volume)
                with self.clock("predict"):
                    compute.synchronise()
                    start = time.perf_counter()
                    classes = predictor(volume)
                    compute.synchronise()
                    volume_s.append(time.perf_counter() - start)
                predicted = value_of[classes]
                with self.clock("score"):
                    assert volume.labels is not None
                    scorer.add(case, volume.labels, predicted, volume.spacing_mm)
                if spec["protocol"]["keep_predictions"]:
                    with self.clock("keep"):
                        keep(self.folder.predictions, case, predicted, volume.spacing_mm)
                self.heart.beat({"predicted": number + 1, "volumes": len(test)})
            with self.clock("score"):
                rows = scorer.rows()
        return rows, volume_s


SCORERS = 2
"""Processes that score beside a GPU. One takes a few milliseconds for a volume of ACDC's size."""


def provenance(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Name, version, distribution and source hash of the plugins of a run."""
    return {
        kind: {
            **{name: spec[kind][name] for name in ("name", "version", "distribution")},
            "source": source_hash(spec[kind]["target"]),
        }
        for kind in ("model", "loss", "dataset")
    }


def _ids(source: Source, patients: list[str]) -> list[str]:
    wanted = set(patients)
    return sorted(case.id for case in source.cases if case.patient in wanted)


def _cost(model: torch.nn.Module, task: Task, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters, and FLOPs for one volume of the protocol's crop and depth."""
    height, width = spec["protocol"]["crop"]
    slices = spec["protocol"].get("depth", VOLUME_SLICES)
    shape = (
        (slices, task.channels, height, width)
        if task.dims == 2
        else (1, task.channels, slices, height, width)
    )
    return {"parameters": parameters(model), "flops": flops(model, shape), "flops_shape": list(shape)}


VOLUME_SLICES = 10
"""Slices of the volume that FLOPs of a 2D network are counted for; about ACDC's mean."""


def _load_weights(path: Path, key: str, device: torch.device) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError):
        return None
    return state if state.get("key") == key else None
