"""Trainings of a second: bright discs of a few pixels, and whatever network and loss a test brings."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from made_specs import run_protocol, run_spec
from numpy.typing import NDArray
from torch import Tensor, nn

from harness.contract.protocol import AugmentationSpec
from harness.contract.spec import RunSpec
from harness.data.prepare import Prepared
from harness.measure.clocks import Phases
from harness.measure.compute import Compute
from harness.plugins.records import Task
from harness.train.batches import Resident
from harness.train.build import make_loss, make_model, make_task
from harness.train.loop import TrainingContext, TrainingData, TrainingLog, train

CPU = Compute(torch.device("cpu"), "fp32")
SIZE = 12


def made_spec(model: str, loss: str, *, dims: int = 2, **protocol: Any) -> RunSpec:
    """A short run; `model` and `loss` are targets, `protocol` replaces fields of its protocol."""
    spec = run_spec(
        dims=dims,
        seed=3,
        keys={"train": "key"},
        structures={"LV": 1},
        scoring=run_protocol(dims, **{**SHORT, **protocol}),
    )
    return replace(
        spec,
        model=replace(spec.model, target=model),
        loss=replace(spec.loss, target=loss),
        dataset=replace(spec.dataset, target="my_data:open"),
    )


NO_AUGMENTATION = AugmentationSpec(
    **dict.fromkeys(
        ("flip", "rotate_deg", "scale", "shift", "brightness", "contrast", "gamma", "noise"), 0.0
    ),
    spatial_probability=1.0,
    intensity_probability=1.0,
)

SHORT: dict[str, Any] = {
    "learning_rate": 0.05,
    "weight_decay": 0.0,
    "schedule": "constant",
    "gradient_clip": None,
    "epochs": 3,
    "batch": 4,
    "depth": 2,
    "class_weights": {},
    "augmentation": NO_AUGMENTATION,
}


def discs(ids: tuple[str, ...]) -> Resident:
    """Two slices a case: a bright disc on noise, which is what is to be found."""
    images, labels = zip(*(_disc(int(id_)) for id_ in ids for _ in range(2)), strict=True)
    count = len(ids)
    prepared = Prepared(ids, tuple(range(0, 2 * count, 2)), (2,) * count, np.stack(images), np.stack(labels))
    return Resident.of(prepared, ids, CPU.device)


def _disc(seed: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIZE, :SIZE]
    cy, cx = rng.uniform(4, 8, 2)
    labels = (np.hypot(y - cy, x - cx) < 3).astype(np.uint8)
    return (2.0 * labels + rng.normal(0, 0.3, labels.shape))[None].astype(np.float32), labels


def run_training(spec: RunSpec, folder: Path, **options: Any) -> tuple[nn.Module, TrainingLog]:
    """Make the plugins of `spec` and train as a worker does, on six cases, validating on two."""
    task = make_task(spec, 1)
    model = CPU.place(make_model(spec, task), task.dims)
    criterion = make_loss(spec, task)
    arguments: dict[str, Any] = {"clock": Phases(), "validation": discs(("6", "7")), **options}
    data = TrainingData(discs(("0", "1", "2", "3", "4", "5")), arguments.pop("validation"))
    context = TrainingContext(CPU, folder, **arguments)
    return model, train(model, criterion, task, spec, data, context)


def net(task: Task) -> nn.Module:
    """Two convolutions with dropout between, which draws random numbers as plugins do."""
    conv = nn.Conv2d if task.dims == 2 else nn.Conv3d
    return nn.Sequential(
        conv(task.channels, 6, 3, padding=1),
        nn.ReLU(),
        nn.Dropout(0.1),
        conv(6, task.classes, 3, padding=1),
    )


class CrossEntropy(nn.Module):
    """The mean cross entropy."""

    def __init__(self, task: Task) -> None:
        super().__init__()

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, labels)


class Learnt(nn.Module):
    """Cross entropy with a running mean, a weight that it learns, and numbers from three generators."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.mean: Tensor
        self.register_buffer("mean", torch.ones(()))
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        drawn = random.random() + np.random.rand() + float(torch.rand(()))
        loss = nn.functional.cross_entropy(logits, labels)
        self.mean.mul_(0.9).add_(0.1 * loss.detach())
        return (1 + 0.1 * drawn) * loss * self.weight.exp() / self.mean - self.weight


LEARNT = "tiny_training:Learnt"
NET, CROSS_ENTROPY = "tiny_training:net", "tiny_training:CrossEntropy"
