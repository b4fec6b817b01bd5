"""The first half of a run: prepare, train, and keep what prediction and the record need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

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
from harness.train.loop import Report, Trained, train


@dataclass
class Fitted:
    """A trained network and what training it took. `measured` goes into the record as it is."""

    model: torch.nn.Module
    task: Task
    trained: Trained
    measured: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """How to get the network of a run. `prepared(done, total)` and `report` hear of progress."""

    folder: RunFolder
    spec: Mapping[str, Any]
    compute: Compute
    clock: Phases
    cache: Path
    prepared: Callable[[int, int], None] = lambda done, total: None
    report: Report = lambda figures: None

    def load(self) -> Fitted | None:
        """The network as a finished training left it; None where there is none."""
        weights = _load_weights(self.folder.weights, self.spec["keys"]["train"])
        if weights is None:
            return None
        task = make_task(self.spec, weights["channels"])
        model = self.compute.place(make_model(self.spec, task), task.dims)
        model.load_state_dict(weights["model"])
        self.clock.resume(weights["seconds"])
        return Fitted(model, task, Trained(weights["history"], weights["step_s"]), weights["measured"])

    def prepare(self, source: Source) -> Prepared:
        """All cases on the network's grid, from the cache if they are there."""
        with self.clock("prepare"):
            return prepare(
                source.cases,
                source.structures,
                self.spec["protocol"],
                self.cache / "prepared" / self.spec["keys"]["prepare"][:24],
                self.prepared,
            )

    def train(self, source: Source, prepared: Prepared) -> Fitted:
        """Train from the last checkpoint on, keep the weights, drop the checkpoints."""
        spec, compute = self.spec, self.compute
        with self.clock("setup"):
            channels = prepared.images.shape[1]
            task = make_task(spec, channels)
            model = compute.place(make_model(spec, task), task.dims)
            criterion = make_loss(spec, task).to(compute.device)
            shown, held_out = (ids_of(source, spec["parts"][part]) for part in ("train", "validation"))
            held_out = held_out[: spec["protocol"]["limit"]]
            on_host = not fits(
                prepared,
                shown + held_out,
                device_free(compute.device),
                COARSE if coarse_epochs(spec["protocol"]) else None,
            )
            training = Resident.of(prepared, shown, compute.device, on_host=on_host)
            validation = (
                Resident.of(prepared, held_out, compute.device, on_host=on_host) if held_out else None
            )
            meter = Meter(compute)
        trained = train(
            model,
            criterion,
            task,
            spec,
            training,
            validation,
            compute=compute,
            folder=self.folder.path,
            clock=self.clock,
            report=self.report,
            meter=meter,
        )
        measured = {"data_on": "host" if on_host else compute.device.type, **meter.measured()}
        with self.clock("checkpoint"):
            state = {
                "key": spec["keys"]["train"],
                "channels": channels,
                "model": model.state_dict(),
                "history": trained.history,
                "step_s": trained.step_s,
                "measured": measured,
                "seconds": self.clock.seconds(),
            }
            checkpoint.write_state(self.folder.weights, state)
            checkpoint.discard(self.folder.path)
        return Fitted(model, task, trained, measured)


def ids_of(source: Source, patients: list[str]) -> list[str]:
    """The cases of these patients, sorted."""
    wanted = set(patients)
    return sorted(case.id for case in source.cases if case.patient in wanted)


def _load_weights(path: Path, key: str) -> dict[str, Any] | None:
    state = checkpoint.read_state(path)
    return state if state is not None and state.get("key") == key and "measured" in state else None
