"""The training loop: the same for every entry, readable in one sitting.

All randomness is drawn from seed and epoch, so an epoch gives the same bits in an uninterrupted
run and in a resumed one.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from harness.contract.protocol import RunProtocol
from harness.contract.spec import RunSpec
from harness.data.augment import augment
from harness.errors import PluginError
from harness.measure.clocks import Phases, Steps
from harness.measure.compute import Compute
from harness.measure.meter import Meter
from harness.plugins.records import Task
from harness.train import checkpoint
from harness.train.batches import Resident, epoch_batches, steps_per_epoch
from harness.train.budget import COARSE, Budget
from harness.train.schedule import learning_rate
from harness.train.stepper import Stepper
from harness.train.validate import Best, grid_dice

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class TrainingData:
    """The cases to train on, and those to validate on, if any."""

    training: Resident
    validation: Resident | None = None


@dataclass(frozen=True)
class TrainingContext:
    """What surrounds a training: device, folder of checkpoints, clock, progress and measurements.

    `report` gets a mapping after every step (``epoch``, ``epochs``, ``step``, ``steps``) and after every
    epoch (with ``loss`` and, where it was measured, ``validation_dice`` too). The measurements of `meter`
    are saved in the checkpoints, so that they cover all attempts.
    """

    compute: Compute
    folder: Path
    clock: Phases
    report: Report = lambda progress: None
    meter: Meter | None = None


@dataclass
class TrainingLog:
    """`history` has one mapping per epoch; `step_s` has the seconds of each step at full resolution."""

    history: list[dict[str, Any]] = field(default_factory=list)
    step_s: list[float] = field(default_factory=list)


def train(
    model: nn.Module,
    criterion: nn.Module,
    task: Task,
    spec: RunSpec,
    data: TrainingData,
    context: TrainingContext,
) -> TrainingLog:
    """Train `model` in place, from the last checkpoint in the context's folder if there is one.

    PluginError for outputs of a wrong shape and for a loss that is not finite.
    """
    protocol, clock = spec.protocol, context.clock
    stepper, log, best = _start(model, criterion, task, spec, context)
    budget = Budget.of(protocol, steps_per_epoch(data.training, task.dims, protocol.batch, protocol.limit))
    first_epoch = len(log.history)
    with clock("setup"):
        coarse = first_epoch < budget.coarse_epochs
        coarse_training = data.training.coarser(COARSE, task.classes) if coarse else None
    for epoch in range(first_epoch, budget.epochs):
        if epoch == budget.coarse_epochs:
            # Compilers and caches have not seen steps at full resolution yet.
            coarse_training, stepper.warm = None, False
        with clock("train"):
            loss, step_s = _epoch(stepper, spec, coarse_training or data.training, epoch, budget, context)
        progress: dict[str, Any] = {"epoch": epoch + 1, "loss": loss}
        last = epoch + 1 == budget.epochs
        if data.validation is not None and (last or (epoch + 1) % protocol.validate_every == 0):
            with clock("validate"):
                dice = grid_dice(model, task, data.validation, context.compute)
                progress["validation_dice"] = dice
                if protocol.selection == "best":
                    best.offer(dice, model)
        log.history.append(progress)
        if epoch >= budget.coarse_epochs:
            log.step_s.extend(step_s)
        if checkpoint.due(clock.seconds()):
            with clock("checkpoint"):
                checkpoint.save(context.folder, _state(spec, stepper, log, best, context))
        with clock("observers"):
            context.report({**progress, "epochs": budget.epochs, "step": budget.steps, "steps": budget.steps})
    if best.weights is not None:
        model.load_state_dict(best.weights)
    # Gradients are no longer needed; in prediction they would count as its memory.
    model.zero_grad(set_to_none=True)
    return log


def _start(
    model: nn.Module, criterion: nn.Module, task: Task, spec: RunSpec, context: TrainingContext
) -> tuple[Stepper, TrainingLog, Best]:
    """Set up, and continue from the last checkpoint if there is one.

    Loading copies weights and moments. The originals are freed on return: they would raise the peak memory.
    """
    with context.clock("setup"):
        stepper = Stepper.of(model, criterion, task, spec, context.compute)
        saved = checkpoint.load(context.folder, spec.keys["train"])
    if not saved:
        return stepper, TrainingLog(), Best()
    model.load_state_dict(saved["model"])
    stepper.optimiser.load_state_dict(saved["optimiser"])
    criterion.load_state_dict(saved["criterion"])
    if context.meter is not None:
        context.meter.resume(saved["measured"])
    context.clock.resume(saved["seconds"])
    return stepper, TrainingLog(saved["history"], saved["step_s"]), Best(saved["best_dice"], saved["best"])


def _state(
    spec: RunSpec, stepper: Stepper, log: TrainingLog, best: Best, context: TrainingContext
) -> dict[str, Any]:
    """The content of a checkpoint."""
    return {
        "key": spec.keys["train"],
        "seed": spec.seed,
        "model": stepper.model.state_dict(),
        "optimiser": stepper.optimiser.state_dict(),
        "criterion": stepper.criterion.state_dict(),
        "measured": context.meter.measured() if context.meter is not None else {},
        "history": log.history,
        "step_s": log.step_s,
        "best_dice": best.dice,
        "best": best.weights,
        "seconds": context.clock.seconds(),
    }


def _epoch(
    stepper: Stepper,
    spec: RunSpec,
    training: Resident,
    epoch: int,
    budget: Budget,
    context: TrainingContext,
) -> tuple[float, list[float]]:
    """One pass over the training set: the mean loss, and the seconds of each step but a warm-up step."""
    protocol, compute = spec.protocol, context.compute
    seed = zlib.crc32(f"{spec.seed}:{epoch}".encode())
    _seed_plugins(seed)
    patch = budget.patch(protocol.patch, epoch)
    batches = _augmented(training, protocol, stepper.task, patch, seed)
    total = torch.zeros((), device=compute.device)
    timer = Steps(compute.device)

    def train_step(step: int) -> None:
        images, labels = next(batches)
        number = epoch * budget.steps + step
        rate = learning_rate(protocol.schedule, protocol.learning_rate, budget.work(number), budget.all_work)
        total.add_(stepper(images, labels, rate))
        timer.mark()
        done = {"epoch": epoch + 1, "epochs": budget.epochs, "step": step + 1, "steps": budget.steps}
        context.report({**done, **budget.shares(number)})

    stepper.model.train()
    warm_up = not stepper.warm
    if warm_up:
        # Compiling, choosing algorithms and filling caches are not part of what a step costs.
        with context.clock("first step"):
            train_step(0)
            compute.synchronise()
    else:
        timer.mark()
    for step in range(int(warm_up), budget.steps):
        train_step(step)
    # The only moment of an epoch that waits for the device.
    mean = total.item() / budget.steps
    if not math.isfinite(mean):
        raise PluginError(
            f"the loss is {mean} in epoch {epoch + 1}",
            where=f"{spec.model.label} + {spec.loss.label}",
            remedy="Lower protocol.learning_rate, or check the loss for log(0) and division by zero.",
        )
    return mean, timer.durations()


def _augmented(
    training: Resident, protocol: RunProtocol, task: Task, patch: tuple[int, int] | None, seed: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """The augmented batches of an epoch. One generator draws their order, another one their augmentation."""
    order = torch.Generator().manual_seed(seed)
    changes = torch.Generator(training.device).manual_seed(seed)
    augmentation = protocol.augmentation
    depth = protocol.depth or 1
    batches = epoch_batches(training, task.dims, protocol.batch, task.slices, depth, order)

    def changed(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        return augment(*batch, augmentation, changes, patch)

    # A generator would keep each batch in memory while the network trains on its augmented copy.
    return map(changed, batches)


def _seed_plugins(seed: int) -> None:
    """Seed the libraries that plugins draw from, such as for dropout, by epoch: resuming changes nothing."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
