"""The stages of one run: prepare, train, predict, score, record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from harness.data.manifest import build_manifest
from harness.data.source import Source, open_spec
from harness.data.split import Parts, guard
from harness.errors import DataError
from harness.measure.clocks import Phases, median_and_p95
from harness.measure.compute import Compute, refused_gpus
from harness.measure.cost import flops, parameters
from harness.measure.provenance import environment, hardware, installed_versions
from harness.pipeline.evaluation_stage import evaluate
from harness.pipeline.saved_predictions import Kept, discard
from harness.pipeline.training_stage import Fit, Fitted
from harness.plugins.records import Task
from harness.plugins.resolve import source_hash
from harness.predict.native import Predictor
from harness.store.record import Record
from harness.store.runs import RunFolder


class ProgressReporter(Protocol):
    """What a run reports its progress to."""

    def beat(self, figures: Mapping[str, Any], *, now: bool = False) -> None:
        """Add `figures` to what is known of the run; write them when it is time, or `now`."""

    def note(self, text: str) -> None:
        """Tell whoever watches the run, once."""


@dataclass
class RunPipeline:
    """One run on its way. `phase` is what it is at, for the failure's sake."""

    folder: RunFolder
    spec: dict[str, Any]
    local: dict[str, Any]
    heart: ProgressReporter
    epoch_ended: Callable[[Mapping[str, Any]], None]
    phase: str = "setup"
    clock: Phases = field(default_factory=Phases)

    def execute(self, attempts: int) -> Record:
        """Carry the run out and give its record."""
        self.enter("setup")
        spec = self.spec
        with self.clock("setup"):
            protocol = spec["protocol"]
            compute = Compute.choose(protocol["precision"], deterministic=protocol["deterministic"])
            if refused := refused_gpus():
                self.heart.note(refused)
            source = self._open()
        fitted = self._fit(source, compute)
        with self.clock("setup"):
            about: dict[str, Any] = {
                "plugins": provenance(spec),
                "environment": environment(compute),
            }
            machine, size = hardware(compute), _size(fitted.model, fitted.task, spec)
            fitted.model.eval()
        self.enter("predict")
        patients = set(spec["parts"]["test"])
        tested = sorted((c for c in source.cases if c.patient in patients), key=lambda case: case.id)
        kept = Kept(self.folder.predictions) if spec["protocol"]["keep_predictions"] else None
        # Those of another attempt may have been made otherwise.
        discard(self.folder.predictions)
        evaluated = evaluate(
            Predictor(fitted.model, fitted.task, spec["protocol"], compute),
            spec,
            tested[: spec["protocol"]["limit"]],
            clock=self.clock,
            kept=kept,
            report=self._beat,
        )
        step_median, step_p95 = median_and_p95(fitted.trained.step_s)
        training = dict(fitted.measured)
        contention = {"train": training.pop("contention"), "predict": evaluated.contention}
        names = ("data_on", "energy_j", "host_peak", "machines")
        data_on, energy, host, machines = (training.pop(name) for name in names)
        return Record(
            run_id=spec["run_id"],
            keys=spec["keys"],
            spec=spec,
            status="done",
            attempts=attempts,
            **about,
            hardware={**machine, "trained_on": machines, "contention": contention},
            data={
                "manifest_hash": spec["manifest_hash"],
                "split_hash": spec["split_hash"],
                "patients": {name: len(patients) for name, patients in spec["parts"].items()},
                "training_on": data_on,
            },
            model={**size, "training_energy_j": energy},
            time_s={
                **{name: round(seconds, 4) for name, seconds in self.clock.seconds().items()},
                "step_median": step_median,
                "step_p95": step_p95,
                "steps": len(fitted.trained.step_s),
                **evaluated.time_s,
            },
            memory_mib={
                **training,
                **evaluated.memory_mib,
                # Training may have been another process's.
                "host_peak": round(max(host, evaluated.memory_mib["host_peak"] or 0.0), 1),
            },
            history=tuple(fitted.trained.history),
            cases=tuple(evaluated.rows),
        )

    def _fit(self, source: Source, compute: Compute) -> Fitted:
        """The trained network: from disk, or trained here."""
        fit = Fit(
            self.folder,
            self.spec,
            compute,
            self.clock,
            Path(self.local["cache"]),
            prepared=lambda done, total: self._beat({"prepared": done, "cases": total}),
            report=self._report,
        )
        with self.clock("setup"):
            fitted = fit.load()
        if fitted is None:
            self.enter("prepare")
            prepared = fit.prepare(source)
            self.enter("train")
            fitted = fit.train(source, prepared)
        return fitted

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
        self._beat({"phase": phase}, now=True)

    def _beat(self, figures: Mapping[str, Any], *, now: bool = False) -> None:
        """A write to disk, which is neither training nor prediction."""
        with self.clock("heartbeat"):
            self.heart.beat(figures, now=now)

    def _report(self, figures: Mapping[str, Any]) -> None:
        ended = "loss" in figures
        self._beat({**figures, "train_s": self.clock.seconds().get("train", 0.0)}, now=ended)
        if ended:
            self.epoch_ended(figures)


def provenance(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Name, version, distribution and source hash of the plugins of a run, versions of what they require."""
    return {
        kind: {
            **{name: spec[kind][name] for name in ("name", "version", "distribution")},
            "source": source_hash(spec[kind]["target"]),
            **({"packages": installed_versions(needs)} if (needs := spec[kind].get("requires")) else {}),
        }
        for kind in ("model", "loss", "dataset")
    }


def _size(model: torch.nn.Module, task: Task, spec: Mapping[str, Any]) -> dict[str, Any]:
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
