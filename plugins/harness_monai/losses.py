"""MONAI's losses for logits and labels; 2D and 3D, in fp32 or wider whatever the logits' precision.

With `batch` overlaps are summed over the batch before the ratio is taken, as nnU-Net does in 2D: a slice
without a structure then costs nothing by itself. `smooth` is added to both sides of the ratio.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from monai.losses import DiceCELoss, DiceLoss, GeneralizedDiceLoss, TverskyLoss
from monai.losses.focal_loss import sigmoid_focal_loss, softmax_focal_loss
from monai.networks.utils import one_hot
from torch import Tensor, nn

from harness.errors import PluginError
from harness.plugins.records import Task


class Adapted(nn.Module):
    """A loss of MONAI behind the harness's call."""

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits ``(B, K, ...)``, labels ``(B, ...)`` int64; a scalar."""
        with torch.autocast(logits.device.type, enabled=False):
            wide = logits if logits.dtype == torch.float64 else logits.float()
            # Class weights are buffers of MONAI's, which it does not bring to the logits' precision.
            value: Tensor = self.loss.to(wide.dtype)(wide, labels[:, None])
            return value


class Focal(nn.Module):
    """MONAI's focal loss averaged over pixels and classes: of the softmax, or of each class by itself.

    MONAI's module FocalLoss computes in fp32 always; the functions below it take what they are given.
    """

    weights: Tensor | None

    def __init__(self, gamma: float, weights: Tensor | None, background: bool, softmax: bool) -> None:
        super().__init__()
        self.gamma, self.first = gamma, 0 if background else 1
        self.values = softmax_focal_loss if softmax else sigmoid_focal_loss
        self.register_buffer("weights", weights)

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits ``(B, K, ...)``, labels ``(B, 1, ...)``; a scalar."""
        target = one_hot(labels, logits.shape[1], dtype=logits.dtype)
        values: Tensor = self.values(logits[:, self.first :], target[:, self.first :], self.gamma)
        if self.weights is not None:
            values = values * self.weights.reshape(1, -1, *[1] * (values.ndim - 2))
        return values.mean()


class Sum(nn.Module):
    """Two losses, each times a factor."""

    def __init__(self, one: nn.Module, other: nn.Module, factors: tuple[float, float]) -> None:
        super().__init__()
        self.one, self.other, self.factors = one, other, factors

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits ``(B, K, ...)``, labels ``(B, 1, ...)``; a scalar."""
        total: Tensor = self.factors[0] * self.one(logits, labels) + self.factors[1] * self.other(
            logits, labels
        )
        return total


def dice(
    task: Task,
    background: bool = False,
    batch: bool = True,
    smooth: float = 1e-5,
    weighted: bool = True,
    squared: bool = False,
    jaccard: bool = False,
) -> Adapted:
    """The mean over classes of 1 - Dice; `squared` probabilities in the denominator, or `jaccard`."""
    overlap = _overlap("monai-dice", background, batch, smooth, squared_pred=squared, jaccard=jaccard)
    return Adapted(DiceLoss(**overlap, weight=_weights(task, weighted, background)))


def dice_ce(
    task: Task,
    background: bool = False,
    batch: bool = True,
    smooth: float = 1e-5,
    weighted: bool = True,
    squared: bool = False,
    jaccard: bool = False,
    dice: float = 1.0,
    ce: float = 1.0,
) -> Adapted:
    """`dice` times Dice plus `ce` times cross-entropy, the latter over the background too."""
    where = "monai-dice-ce"
    weights = _weights(task, weighted, True)
    if weights is not None and weights.min() <= 0:
        # Where all labels of a batch have weight 0, torch's mean is 0 / 0.
        raise PluginError(
            f"class weights {task.class_weights} have one that is not above 0",
            where=where,
            remedy="Change protocol.class_weights, or take weighted=false.",
        )
    overlap = _overlap(where, background, batch, smooth, squared_pred=squared, jaccard=jaccard)
    dice, ce = _factors(where, dice=dice, ce=ce)
    return Adapted(DiceCELoss(**overlap, weight=weights, lambda_dice=dice, lambda_ce=ce))


def dice_focal(
    task: Task,
    background: bool = True,
    batch: bool = True,
    smooth: float = 1e-5,
    weighted: bool = True,
    squared: bool = False,
    jaccard: bool = False,
    gamma: float = 2.0,
    softmax: bool = False,
    dice: float = 1.0,
    focal: float = 1.0,
) -> Adapted:
    """`dice` times Dice, of the softmax, plus `focal` times the focal loss, see `focal`."""
    where = "monai-dice-focal"
    overlap = _overlap(where, background, batch, smooth, squared_pred=squared, jaccard=jaccard)
    one = DiceLoss(**overlap, weight=_weights(task, weighted, background))
    other = _focal(where, task, background, weighted, gamma, softmax)
    return Adapted(Sum(one, other, _pair(where, dice, focal)))


def focal(
    task: Task, background: bool = True, weighted: bool = True, gamma: float = 2.0, softmax: bool = True
) -> Adapted:
    """The focal loss of exponent `gamma`, of the softmax or, without, of each class against the rest."""
    return Adapted(_focal("monai-focal", task, background, weighted, gamma, softmax))


def tversky(
    task: Task,
    background: bool = False,
    batch: bool = True,
    smooth: float = 1e-5,
    alpha: float = 0.3,
    beta: float = 0.7,
) -> Adapted:
    """1 - Tversky index, false positives times `alpha` and false negatives times `beta`; unweighted."""
    where = "monai-tversky"
    alpha, beta = _factors(where, alpha=alpha, beta=beta)
    return Adapted(TverskyLoss(**_overlap(where, background, batch, smooth), alpha=alpha, beta=beta))


def generalized_dice(
    task: Task, background: bool = True, batch: bool = True, smooth: float = 1e-5, volume: str = "square"
) -> Adapted:
    """Dice of all classes at once, each over its volume's `volume` (square, simple) or alike (uniform)."""
    return Adapted(_generalized("monai-generalized-dice", background, batch, smooth, volume))


def generalized_dice_focal(
    task: Task,
    background: bool = True,
    batch: bool = True,
    smooth: float = 1e-5,
    weighted: bool = True,
    volume: str = "square",
    gamma: float = 2.0,
    softmax: bool = False,
    dice: float = 1.0,
    focal: float = 1.0,
) -> Adapted:
    """`dice` times generalised Dice plus `focal` times the focal loss; class weights for the latter."""
    where = "monai-generalized-dice-focal"
    one = _generalized(where, background, batch, smooth, volume)
    other = _focal(where, task, background, weighted, gamma, softmax)
    return Adapted(Sum(one, other, _pair(where, dice, focal)))


def _focal(
    where: str, task: Task, background: bool, weighted: bool, gamma: float, softmax: bool
) -> nn.Module:
    if softmax and not background:
        raise PluginError(
            "background=false with softmax=true would let background pixels cost nothing",
            where=where,
            remedy="Change one of them.",
        )
    (gamma,) = _factors(where, gamma=gamma)
    return Focal(gamma, _weights(task, weighted, background), background, softmax)


def _generalized(where: str, background: bool, batch: bool, smooth: float, volume: str) -> nn.Module:
    if volume not in ("square", "simple", "uniform"):
        raise PluginError(
            f"volume = {volume!r}", where=where, remedy="It is 'square', 'simple' or 'uniform'."
        )
    made: nn.Module = GeneralizedDiceLoss(**_overlap(where, background, batch, smooth), w_type=volume)
    return made


def _overlap(where: str, background: bool, batch: bool, smooth: float, **others: bool) -> dict[str, Any]:
    if not (_number(smooth) and smooth > 0):
        raise PluginError(f"smooth = {smooth!r}", where=where, remedy="It must be above 0.")
    return {
        "include_background": background,
        "to_onehot_y": True,
        "softmax": True,
        "smooth_nr": smooth,
        "smooth_dr": smooth,
        "batch": batch,
        **others,
    }


def _weights(task: Task, weighted: bool, background: bool) -> Tensor | None:
    """The protocol's class weights; those of the structures alone where the background is left out."""
    weights = torch.tensor(task.class_weights, dtype=torch.float64)
    return (weights if background else weights[1:]) if weighted else None


def _factors(where: str, **given: float) -> tuple[float, ...]:
    for name, value in given.items():
        if not (_number(value) and value >= 0):
            raise PluginError(f"{name} = {value!r}", where=where, remedy="It must not be negative.")
    return tuple(float(value) for value in given.values())


def _pair(where: str, dice: float, focal: float) -> tuple[float, float]:
    one, other = _factors(where, dice=dice, focal=focal)
    return one, other


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
