"""Cross-entropy, log-Dice and their sum; 2D and 3D, in fp32 whatever the logits' precision."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from harness.errors import PluginError
from harness.plugins.records import Task

FORMS = {"poster": 1.0, "common": 2.0}
"""Factor of the overlap Σ t p. The poster prints none, so a perfect match gives log 1.5 a class;
the common form has 2 and gives 0."""


class CrossEntropy(nn.Module):
    """Weighted mean of -log p of the true class, over all pixels of the batch."""

    weights: Tensor

    def __init__(self, weights: tuple[float, ...]) -> None:
        super().__init__()
        if sum(weights) <= 0:
            raise PluginError("all class weights are zero", where="cross-entropy")
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float64))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits ``(B, K, ...)``, labels ``(B, ...)`` int64; a scalar."""
        with torch.autocast(logits.device.type, enabled=False):
            log_p = _wide(logits).log_softmax(1)
            weights = self.weights.to(log_p.dtype)
            summed, counted = _by_class(log_p, labels)
            # Where all labels present have weight 0, torch's own mean is 0 / 0.
            weight = (weights * counted).sum().clamp_min(torch.finfo(log_p.dtype).tiny)
            return -(weights * summed).sum() / weight


class LogDice(nn.Module):
    """Σ w_i log(2 - (f Σ t p + ε) / (Σ (t + p) + ε)), sums over all pixels of the batch.

    As on the poster, with f = 1 (`form` ``poster``) or 2 (``common``). A class that is neither
    in labels nor predicted costs nothing.
    """

    weights: Tensor

    def __init__(self, weights: tuple[float, ...], form: str = "poster", epsilon: float = 1.0) -> None:
        super().__init__()
        if form not in FORMS:
            raise PluginError(f"form = {form!r}", where="log-dice", remedy="It is 'poster' or 'common'.")
        if not (isinstance(epsilon, int | float) and math.isfinite(epsilon) and epsilon > 0):
            raise PluginError(f"epsilon = {epsilon!r}", where="log-dice", remedy="It must be above 0.")
        self.factor, self.epsilon = FORMS[form], float(epsilon)
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float64))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits ``(B, K, ...)``, labels ``(B, ...)`` int64; a scalar."""
        with torch.autocast(logits.device.type, enabled=False):
            p = _wide(logits).softmax(1)
            overlap, t = _by_class(p, labels)
            total = t + p.transpose(0, 1).flatten(1).sum(1)
            dice = (self.factor * overlap + self.epsilon) / (total + self.epsilon)
            return (self.weights.to(p.dtype) * torch.log(2 - dice)).sum()


class LogDiceCE(nn.Module):
    """Log-Dice plus `ce` times cross-entropy."""

    def __init__(self, dice: LogDice, cross_entropy: CrossEntropy, ce: float = 1.0) -> None:
        super().__init__()
        self.dice, self.cross_entropy, self.ce = dice, cross_entropy, ce

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits ``(B, K, ...)``, labels ``(B, ...)`` int64; a scalar."""
        total: Tensor = self.dice(logits, labels) + self.ce * self.cross_entropy(logits, labels)
        return total


def _by_class(values: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Σ t v and Σ t for each class, over values ``(B, K, ...)`` and labels ``(B, ...)``.

    A mask a class, for there are few: twenty times faster than gathering by label on a CPU, without
    the atomic additions that a GPU would queue for, and the same bits every time on both.
    """
    masks = [labels == k for k in range(values.shape[1])]
    summed = torch.stack([(values[:, k] * mask).sum() for k, mask in enumerate(masks)])
    return summed, torch.stack([mask.sum() for mask in masks]).to(values.dtype)


def _wide(logits: Tensor) -> Tensor:
    """At least fp32: sums over a hundred thousand pixels don't fit half precision."""
    return logits if logits.dtype == torch.float64 else logits.float()


def cross_entropy(task: Task) -> CrossEntropy:
    """Weights by class from the protocol."""
    return CrossEntropy(task.class_weights)


def log_dice(task: Task, form: str = "poster", epsilon: float = 1.0) -> LogDice:
    """Weights by class from the protocol."""
    return LogDice(task.class_weights, form, epsilon)


def log_dice_ce(task: Task, form: str = "poster", epsilon: float = 1.0, ce: float = 1.0) -> LogDiceCE:
    """Both with weights by class from the protocol."""
    if not (isinstance(ce, int | float) and math.isfinite(ce) and ce >= 0):
        raise PluginError(f"ce = {ce!r}", where="log-dice-ce", remedy="It must not be negative.")
    return LogDiceCE(log_dice(task, form, epsilon), cross_entropy(task), float(ce))
