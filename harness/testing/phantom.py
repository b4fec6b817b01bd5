"""A phantom heart of a few pixels: two discs, one of them in a ring."""

from __future__ import annotations

import torch
from torch import Tensor

SIZE = 24
"""Width and height in pixels."""


def phantom(dims: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images ``(2, 1, [3,] 24, 24)`` and labels 0 to 3 (RV, MYO, LV) without the channel."""
    noise = torch.Generator().manual_seed(seed)
    steps = torch.arange(SIZE, dtype=torch.float32)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    labels = torch.stack([_heart(y, x, 12 + shift, 13 - shift) for shift in (0.0, 1.5)])
    if dims == 3:
        labels = labels[:, None].expand(-1, 3, -1, -1)
    bright = torch.tensor([0.0, 2.0, 0.8, 3.0])[labels]
    images = bright + 0.3 * torch.randn(bright.shape, generator=noise)
    return images[:, None], labels.contiguous()


def _heart(y: Tensor, x: Tensor, cy: float, cx: float) -> Tensor:
    distance = torch.hypot(y - cy, x - cx)
    labels = torch.zeros(y.shape, dtype=torch.int64)
    labels[torch.hypot(y - cy, x - cx + 8) < 3.5] = 1
    labels[distance < 6] = 2
    labels[distance < 3.5] = 3
    return labels
