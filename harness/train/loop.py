"""The training loop: the same for every entry, readable in one sitting.

Everything random is drawn from seed and epoch, so an epoch gives the same bits whether the
run came here in one go or was killed on the way.
"""

from __future__ import annotations

import copy
import math
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.data.augment import augment
from harness.errors import PluginError
from harness.measure.clocks import Phases, Steps
from harness.measure.compute import Compute
from harness.measure.meter import Meter
from harness.plugins.blame import calling
from harness.plugins.records import Task
from harness.predict.forward import probabilities
from harness.train import checkpoint
from harness.train.batches import Resident, epoch_batches, steps_per_epoch
from harness.train.budget import COARSE, Budget
from harness.train.optimise import Optimiser, make_optimiser
from harness.train.schedule import learning_rate
from harness.train.supervise import check_outputs, outputs_of, supervised

Report = Callable[[dict[str, Any]], None]


@dataclass
class Trained:
    """What training leaves: `history` has a mapping an epoch, `step_s` seconds of each step not coarse."""

    history: list[dict[str, Any]] = field(default_factory=list)
    step_s: list[float] = field(default_factory=list)


def train(
    model: nn.Module,
    criterion: nn.Module,
    task: Task,
    spec: Mapping[str, Any],
    training: Resident,
    validation: Resident | None,
    *,
    compute: Compute,
    folder: Path,
    clock: Phases,
    report: Report = lambda figures: None,
    meter: Meter | None = None,
) -> Trained:
    """Train `model` in place, from the last checkpoint in `folder` if there is one.

    What `meter` measures is kept in the checkpoints, so that it is of all attempts.

    `report` gets a mapping at every step (``epoch, epochs, step, steps``) and at the end of
    every epoch (with ``loss`` and, where looked at, ``validation_dice`` too). PluginError for
    wrong shapes and for a loss that is not finite.
    """
    protocol, seed, key = spec["protocol"], spec["seed"], spec["keys"]["train"]
    epochs: int = protocol["epochs"]
    with clock("setup"):
        stepper = Stepper.of(model, criterion, task, spec, compute)
        saved = checkpoint.load(folder, key)
    optimiser = stepper.optimiser
    trained, best, first_epoch = Trained(), Best(), 0
    if saved:
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
        criterion.load_state_dict(saved["criterion"])
        if meter is not None:
            meter.resume(saved["measured"])
        trained = Trained(saved["history"], saved["step_s"])
        best = Best(saved["best_dice"], saved["best"])
        first_epoch = len(trained.history)
        clock.resume(saved["seconds"])
        # Weights and moments are copied; holding them twice would show as a higher peak.
        del saved

    steps = steps_per_epoch(training, task.dims, protocol["batch"], protocol["limit"])
    budget = Budget.of(protocol, steps)
    with clock("setup"):
        coarser = training.coarser(COARSE, task.classes) if first_epoch < budget.coarse_epochs else None
    for epoch in range(first_epoch, epochs):
        if epoch == budget.coarse_epochs:
            # The finer steps are new to compilers and caches.
            coarser, stepper.warm = None, False
        with clock("train"):
            loss, step_s = _epoch(stepper, spec, coarser or training, epoch, budget, clock, report)
        figures: dict[str, Any] = {"epoch": epoch + 1, "loss": loss}
        looked_at = (epoch + 1) % protocol["validate_every"] == 0 or epoch + 1 == epochs
        if validation is not None and looked_at:
            with clock("validate"):
                dice = grid_dice(model, task, validation, compute)
                figures["validation_dice"] = dice
                if protocol["selection"] == "best":
                    best.offer(dice, model)
        trained.history.append(figures)
        if epoch >= budget.coarse_epochs:
            trained.step_s.extend(step_s)
        if checkpoint.due(clock.seconds()):
            with clock("checkpoint"):
                checkpoint.save(
                    folder,
                    {
                        "key": key,
                        "seed": seed,
                        "model": model.state_dict(),
                        "optimiser": optimiser.state_dict(),
                        "criterion": criterion.state_dict(),
                        "measured": meter.measured() if meter is not None else {},
                        "history": trained.history,
                        "step_s": trained.step_s,
                        "best_dice": best.dice,
                        "best": best.weights,
                        "seconds": clock.seconds(),
                    },
                )
        with clock("observers"):
            report({**figures, "epochs": epochs, "step": steps, "steps": steps})
    if best.weights is not None:
        model.load_state_dict(best.weights)
    # Gradients have served; in prediction they would count as its memory.
    model.zero_grad(set_to_none=True)
    return trained


@dataclass
class Best:
    """The weights with the highest validation Dice so far; the earlier of equals."""

    dice: float = -1.0
    weights: dict[str, Tensor] | None = None

    def offer(self, dice: float, model: nn.Module) -> None:
        """Keep a copy of the weights of `model` if they are better."""
        if dice > self.dice:
            self.dice, self.weights = dice, copy.deepcopy(model.state_dict())


@dataclass
class Stepper:
    """One training step. `forward` is the network, compiled where the protocol says so."""

    model: nn.Module
    forward: Callable[[Tensor], object]
    criterion: nn.Module
    optimiser: Optimiser
    task: Task
    compute: Compute
    gradient_clip: float | None
    warm: bool = False

    @classmethod
    def of(
        cls, model: nn.Module, criterion: nn.Module, task: Task, spec: Mapping[str, Any], compute: Compute
    ) -> Stepper:
        """A step under a run's protocol; `model` keeps the weights."""
        protocol = spec["protocol"]
        with calling("model"):
            if not any(parameter.requires_grad for parameter in model.parameters()):
                raise PluginError("has no parameter to train")
        optimiser = make_optimiser(model, criterion, protocol)
        forward = compute.compiled(model) if protocol["compile"] else model
        return cls(model, forward, criterion, optimiser, task, compute, protocol["gradient_clip"])

    def __call__(self, images: Tensor, labels: Tensor, rate: float) -> Tensor:
        """Train on a batch; gives the loss as it lies on the device, without waiting for it."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        images = self.compute.channels_last(images)
        with self.compute.autocast(), calling("model"):
            outputs = outputs_of(self.forward(images))
            if not self.warm:
                check_outputs(outputs, images, self.task)
        # Outside autocast and in fp32: sums over a batch's pixels are not for half precision.
        with calling("loss"):
            loss = supervised(self.criterion, outputs, labels.long(), check=not self.warm)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no stub
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.gradient_clip)
        self.optimiser.step()
        self.warm = True
        return loss.detach()


def _epoch(
    stepper: Stepper,
    spec: Mapping[str, Any],
    training: Resident,
    epoch: int,
    budget: Budget,
    clock: Phases,
    report: Report,
) -> tuple[float, list[float]]:
    """One pass over the training part: mean loss, and seconds of each step after a first of its kind."""
    protocol, task, compute = spec["protocol"], stepper.task, stepper.compute
    epochs, steps = budget.epochs, budget.steps
    augmentation = SimpleNamespace(**protocol["augmentation"])
    patch = budget.patch(protocol["patch"], epoch)
    seed = zlib.crc32(f"{spec['seed']}:{epoch}".encode())
    _seed_plugins(seed)
    order = torch.Generator().manual_seed(seed)
    changes = torch.Generator(compute.device).manual_seed(seed)
    total = torch.zeros((), device=compute.device)
    batches = epoch_batches(
        training, task.dims, protocol["batch"], task.slices, protocol.get("depth", 1), order
    )
    stepper.model.train()
    timer = Steps(compute.device)

    def one(step: int) -> None:
        images, labels = augment(*next(batches), augmentation, changes, patch)
        number = epoch * steps + step
        rate = learning_rate(
            protocol["schedule"], protocol["learning_rate"], budget.work(number), budget.all_work
        )
        total.add_(stepper(images, labels, rate))
        timer.mark()
        report(
            {"epoch": epoch + 1, "epochs": epochs, "step": step + 1, "steps": steps, **budget.shares(number)}
        )

    cold = not stepper.warm
    if cold:
        # Compiling, choosing algorithms, filling caches: not what a step costs.
        with clock("first step"):
            one(0)
            compute.synchronise()
    else:
        timer.mark()
    for step in range(int(cold), steps):
        one(step)
    # The only moment of an epoch that waits for the device.
    mean = total.item() / steps
    if not math.isfinite(mean):
        raise PluginError(
            f"the loss is {mean} in epoch {epoch + 1}",
            where=f"{spec['model']['label']} + {spec['loss']['label']}",
            remedy="Lower protocol.learning_rate, or check the loss for log(0) and division by zero.",
        )
    return mean, timer.durations()


def _seed_plugins(seed: int) -> None:
    """What plugins draw, for dropout and the like, is of the epoch, wherever it was begun."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


@torch.inference_mode()
def grid_dice(model: nn.Module, task: Task, cases: Resident, compute: Compute) -> float:
    """Mean Dice over structures and cases on the network's own grid; only to watch and select.

    A structure absent from reference and prediction is left out.
    """
    model.eval()
    values = []
    for case in range(cases.cases):
        images, reference = cases.case(case)
        predicted = probabilities(model, images, task, compute).argmax(1)
        for k in range(1, task.classes):
            p, r = predicted == k, reference == k
            size = p.sum() + r.sum()
            values.append(torch.where(size > 0, 2 * (p & r).sum() / size, torch.nan))
    return float(torch.stack(values).nanmean().nan_to_num())
