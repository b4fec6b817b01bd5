"""Validation during training: a quick Dice on the network's grid, and the weights with the best one."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from harness.measure.compute import Compute
from harness.plugins.records import Task
from harness.predict.forward import probabilities
from harness.train.batches import Resident


@dataclass
class Best:
    """The weights with the highest validation Dice so far; the earlier ones where it is equal."""

    dice: float = -1.0
    weights: dict[str, Tensor] | None = None

    def offer(self, dice: float, model: nn.Module) -> None:
        """Keep a copy of the weights of `model` if their Dice is higher."""
        if dice > self.dice:
            self.dice, self.weights = dice, copy.deepcopy(model.state_dict())


@torch.inference_mode()
def grid_dice(model: nn.Module, task: Task, cases: Resident, compute: Compute) -> float:
    """Mean Dice over structures and cases on the network's grid, used only to monitor and to select.

    A structure that is absent from both reference and prediction is left out.
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
