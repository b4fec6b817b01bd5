"""The first half of a run: prepare the cases, train the network, save its weights and measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from harness.contract.spec import RunSpec
from harness.data.prepare import Prepared, prepare
from harness.data.source import Source
from harness.measure.clocks import Phases
from harness.measure.compute import Compute
from harness.measure.memory import device_free
from harness.measure.meter import Meter
from harness.plugins.records import Task
from harness.store.runs import RunFolder
from harness.train import checkpoint
from harness.train.batches import Resident, fits
from harness.train.budget import COARSE, coarse_epochs
from harness.train.build import make_loss, make_model, make_task
from harness.train.loop import Report, TrainingContext, TrainingData, TrainingLog, train


@dataclass
class TrainedNetwork:
    """A trained network and the log of its training. `measured` goes into the record unchanged."""

    model: torch.nn.Module
    task: Task
    log: TrainingLog
    measured: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingStage:
    """How a run gets its network. `prepared(done, total)` and `report` get its progress."""

    folder: RunFolder
    spec: RunSpec
    compute: Compute
    clock: Phases
    cache: Path
    prepared: Callable[[int, int], None] = lambda done, total: None
    report: Report = lambda progress: None

    def load(self) -> TrainedNetwork | None:
        """The network that a finished training saved; None where there is none."""
        weights = _load_weights(self.folder.weights, self.spec.keys["train"])
        if weights is None:
            return None
        task = make_task(self.spec, weights["channels"])
        model = self.compute.place(make_model(self.spec, task), task.dims)
        model.load_state_dict(weights["model"])
        self.clock.resume(weights["seconds"])
        log = TrainingLog(weights["history"], weights["step_s"])
        return TrainedNetwork(model, task, log, weights["measured"])

    def prepare(self, source: Source) -> Prepared:
        """All cases on the network's grid, from the cache if they are there."""
        with self.clock("prepare"):
            return prepare(
                source.cases,
                source.structures,
                self.spec.protocol,
                self.cache / "prepared" / self.spec.keys["prepare"][:24],
                self.prepared,
            )

    def train(self, source: Source, prepared: Prepared) -> TrainedNetwork:
        """Train from the last checkpoint, save the weights and remove the checkpoints."""
        spec, compute = self.spec, self.compute
        with self.clock("setup"):
            channels = prepared.images.shape[1]
            task = make_task(spec, channels)
            model = compute.place(make_model(spec, task), task.dims)
            criterion = make_loss(spec, task).to(compute.device)
            data = self._data(source, prepared)
            meter = Meter(compute)
        context = TrainingContext(compute, self.folder.path, self.clock, self.report, meter)
        log = train(model, criterion, task, spec, data, context)
        measured = {"data_on": "host" if data.training.on_host else compute.device.type, **meter.measured()}
        with self.clock("checkpoint"):
            state = {
                "key": spec.keys["train"],
                "channels": channels,
                "model": model.state_dict(),
                "history": log.history,
                "step_s": log.step_s,
                "measured": measured,
                "seconds": self.clock.seconds(),
            }
            checkpoint.write_state(self.folder.weights, state)
            checkpoint.discard(self.folder.path)
        return TrainedNetwork(model, task, log, measured)

    def _data(self, source: Source, prepared: Prepared) -> TrainingData:
        """The training and validation set, on the device if they fit there."""
        protocol, parts, device = self.spec.protocol, self.spec.parts, self.compute.device
        training, validation = (ids_of(source, patients) for patients in (parts.train, parts.validation))
        validation = validation[: protocol.limit]
        coarse = COARSE if coarse_epochs(protocol) else None
        on_host = not fits(prepared, training + validation, device_free(device), coarse)
        return TrainingData(
            Resident.of(prepared, training, device, on_host=on_host),
            Resident.of(prepared, validation, device, on_host=on_host) if validation else None,
        )


def ids_of(source: Source, patients: Sequence[str]) -> list[str]:
    """The cases of these patients, sorted."""
    included = set(patients)
    return sorted(case.id for case in source.cases if case.patient in included)


def _load_weights(path: Path, key: str) -> dict[str, Any] | None:
    state = checkpoint.read_state(path)
    return state if state is not None and state.get("key") == key and "measured" in state else None
