"""The stages of one run: prepare, train, predict, score, record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import torch

from harness.contract.local import LocalPaths
from harness.contract.record import (
    Contention,
    DataUsed,
    Environment,
    Epoch,
    Hardware,
    ModelSize,
    PluginProvenance,
)
from harness.contract.spec import KINDS, RunSpec
from harness.data.case import Case
from harness.data.manifest import build_manifest
from harness.data.source import Source, open_spec
from harness.data.split import Parts, guard
from harness.errors import DataError
from harness.measure.clocks import Phases, median_and_p95
from harness.measure.compute import Compute, unusable_gpus
from harness.measure.cost import flops, parameters
from harness.measure.provenance import environment, hardware, installed_versions
from harness.pipeline.evaluation_stage import Evaluated, evaluate
from harness.pipeline.saved_predictions import PredictionWriter, remove_predictions
from harness.pipeline.training_stage import TrainedNetwork, TrainingStage
from harness.plugins.records import Task
from harness.plugins.resolve import source_hash
from harness.predict.predictor import Predictor
from harness.store.record import Record
from harness.store.runs import RunFolder


class ProgressReporter(Protocol):
    """Where a run reports its progress."""

    def beat(self, progress: Mapping[str, Any], *, now: bool = False) -> None:
        """Merge `progress` into the run's heartbeat and write it when it is due, or `now`."""

    def note(self, text: str) -> None:
        """Show a message to the user, once."""


@dataclass(frozen=True)
class RunDescription:
    """The fields of a record other than results: code, versions, machine and size."""

    plugins: Mapping[str, PluginProvenance]
    environment: Environment
    hardware: Hardware
    model: ModelSize


@dataclass
class RunPipeline:
    """One run being executed. `phase` is the current stage, for the record of a failure."""

    folder: RunFolder
    spec: RunSpec
    local: LocalPaths
    heartbeat: ProgressReporter
    epoch_ended: Callable[[Mapping[str, Any]], None]
    phase: str = "setup"
    clock: Phases = field(default_factory=Phases)

    def execute(self, attempts: int) -> Record:
        """Execute the run and return its record."""
        self.enter("setup")
        with self.clock("setup"):
            protocol = self.spec.protocol
            compute = Compute.choose(protocol.precision, deterministic=protocol.deterministic)
            if warning := unusable_gpus():
                self.heartbeat.note(warning)
            source = self._open()
        network = self._train(source, compute)
        with self.clock("setup"):
            described = self._describe(network, compute)
            network.model.eval()
        self.enter("predict")
        evaluated = self._evaluate(network, source.cases, compute)
        return self._record(attempts, network, evaluated, described)

    def _train(self, source: Source, compute: Compute) -> TrainedNetwork:
        """The trained network: loaded from the folder, or trained now."""
        stage = TrainingStage(
            self.folder,
            self.spec,
            compute,
            self.clock,
            Path(self.local.cache),
            prepared=lambda done, total: self._beat({"prepared": done, "cases": total}),
            report=self._report,
        )
        with self.clock("setup"):
            network = stage.load()
        if network is None:
            self.enter("prepare")
            prepared = stage.prepare(source)
            self.enter("train")
            network = stage.train(source, prepared)
        return network

    def _describe(self, network: TrainedNetwork, compute: Compute) -> RunDescription:
        return RunDescription(
            provenance(self.spec),
            environment(compute),
            hardware(compute),
            _size(network.model, network.task, self.spec),
        )

    def _evaluate(self, network: TrainedNetwork, cases: Sequence[Case], compute: Compute) -> Evaluated:
        protocol, patients = self.spec.protocol, set(self.spec.parts.test)
        test = sorted((case for case in cases if case.patient in patients), key=lambda case: case.id)
        predictions = PredictionWriter(self.folder.predictions) if protocol.keep_predictions else None
        # Predictions of an earlier attempt may come from other weights.
        remove_predictions(self.folder.predictions)
        return evaluate(
            Predictor(network.model, network.task, protocol, compute),
            self.spec,
            test[: protocol.limit],
            clock=self.clock,
            predictions=predictions,
            report=self._beat,
        )

    def _record(
        self,
        attempts: int,
        network: TrainedNetwork,
        evaluated: Evaluated,
        described: RunDescription,
    ) -> Record:
        spec, log = self.spec, network.log
        step_median, step_p95 = median_and_p95(log.step_s)
        training = dict(network.measured)
        by_stage = {"train": training.pop("contention"), "predict": evaluated.contention}
        contention = {stage: Contention(**by_others) for stage, by_others in by_stage.items()}
        names = ("data_on", "energy_j", "host_peak", "machines")
        data_on, energy, host, machines = (training.pop(name) for name in names)
        return Record(
            run_id=spec.run_id,
            keys=spec.keys,
            spec=spec,
            status="done",
            attempts=attempts,
            plugins=described.plugins,
            environment=described.environment,
            hardware=replace(described.hardware, trained_on=tuple(machines), contention=contention),
            data=DataUsed.of(spec, training_on=data_on),
            model=replace(described.model, training_energy_j=energy),
            time_s={
                **{name: round(seconds, 4) for name, seconds in self.clock.seconds().items()},
                "step_median": step_median,
                "step_p95": step_p95,
                "steps": len(log.step_s),
                **evaluated.time_s,
            },
            memory_mib={
                **training,
                **evaluated.memory_mib,
                # Another process may have trained the network.
                "host_peak": round(max(host, evaluated.memory_mib["host_peak"] or 0.0), 1),
            },
            history=tuple(Epoch(**epoch) for epoch in log.history),
            cases=tuple(evaluated.rows),
        )

    def _open(self) -> Source:
        """The dataset; DataError if it is no longer the one that the run was planned with."""
        source = open_spec(self.spec.dataset, Path(self.local.root))
        manifest = build_manifest(source.cases, source.structures, Path(self.local.manifest))
        if manifest.hash != self.spec.manifest_hash:
            raise DataError(
                "the dataset has changed since this run was planned",
                where=self.local.root,
                remedy="Run the command again, which plans the run anew.",
            )
        parts = self.spec.parts
        guard(Parts(parts.train, parts.validation, parts.test), manifest)
        return source

    def enter(self, phase: str) -> None:
        """Set the phase, and report it at once."""
        self.phase = phase
        self._beat({"phase": phase}, now=True)

    def _beat(self, progress: Mapping[str, Any], *, now: bool = False) -> None:
        """Report progress; the time that it takes counts as neither training nor prediction."""
        with self.clock("heartbeat"):
            self.heartbeat.beat(progress, now=now)

    def _report(self, progress: Mapping[str, Any]) -> None:
        epoch_ended = "loss" in progress
        self._beat({**progress, "train_s": self.clock.seconds().get("train", 0.0)}, now=epoch_ended)
        if epoch_ended:
            self.epoch_ended(progress)


def provenance(spec: RunSpec) -> dict[str, PluginProvenance]:
    """Name, version, distribution and source hash of a run's plugins, and versions of required packages."""
    return {
        kind: PluginProvenance(
            plugin.name,
            plugin.version,
            plugin.distribution,
            source_hash(plugin.target),
            installed_versions(plugin.requires) if plugin.requires else None,
        )
        for kind, plugin in ((kind, spec.plugin(kind)) for kind in KINDS)
    }


def _size(model: torch.nn.Module, task: Task, spec: RunSpec) -> ModelSize:
    """Number of parameters, and FLOPs of one volume of the protocol's crop and depth."""
    height, width = spec.protocol.crop
    slices = spec.protocol.depth or VOLUME_SLICES
    shape = (
        (slices, task.channels, height, width)
        if task.dims == 2
        else (1, task.channels, slices, height, width)
    )
    return ModelSize(parameters(model), flops(model, shape), shape, training_energy_j=None)


VOLUME_SLICES = 10
"""Slices of the volume for which FLOPs of a 2D network are counted; about ACDC's mean."""
