"""Test-time augmentation: a network that looks at the mirror images too."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MIRRORS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))
"""The in-plane axes, from the last one, along which each of the four views is mirrored."""


class Mirrored(nn.Module):
    """`net` in training; in evaluation the mean of its class probabilities over four mirrored views.

    Costs four times the prediction. What it is given and gives is what `net` is and does; the
    logits are logarithms of the mean probabilities.
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """Logits ``(B, K, [D,] H, W)``."""
        if self.training:
            logits: Tensor = self.net(x)
            return logits
        total = sum((self._seen(x, axes) for axes in MIRRORS), start=torch.zeros((), device=x.device))
        # As small as a probability of a trained net gets: its logarithm stays finite in bf16 too.
        return (total / len(MIRRORS)).clamp_min(1e-12).log()

    def _seen(self, x: Tensor, axes: tuple[int, ...]) -> Tensor:
        return self.net(x.flip(axes)).float().softmax(1).flip(axes)  # type: ignore[no-any-return]
