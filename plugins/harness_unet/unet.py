"""A plain U-Net for slices and volumes.

Each contracting block doubles the feature maps and halves x and y; each expanding block
upsamples by 2, joins the skip and reduces the maps. A block is 3×3 (3×3×3) convolution, batch
norm, ReLU, twice. In 3D pooling and upsampling are 1×2×2: z is never touched, so any number of
slices goes through.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad

from harness.errors import PluginError
from harness.plugins.records import Task
from harness_unet.mirror import Mirrored


class Block(nn.Sequential):
    """Convolution, batch norm, ReLU, twice; keeps the spatial size."""

    def __init__(self, dims: int, channels: int, maps: int) -> None:
        conv, norm = (nn.Conv2d, nn.BatchNorm2d) if dims == 2 else (nn.Conv3d, nn.BatchNorm3d)
        super().__init__(
            # Batch norm subtracts any bias that the convolution before it would add.
            conv(channels, maps, 3, padding=1, bias=False),
            norm(maps),
            nn.ReLU(inplace=True),
            conv(maps, maps, 3, padding=1, bias=False),
            norm(maps),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    """``(B, C, [D,] H, W)`` to logits ``(B, K, [D,] H, W)``; any size of at least one pixel.

    `base` feature maps in the first block, ``base * 2**depth`` in the base layer.
    """

    def __init__(self, dims: int, channels: int, classes: int, base: int, depth: int) -> None:
        super().__init__()
        maps = [base * 2**level for level in range(depth + 1)]
        step = (2, 2) if dims == 2 else (1, 2, 2)
        transposed: Any = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d
        conv = nn.Conv2d if dims == 2 else nn.Conv3d
        self.multiple = 2**depth
        self.contract = nn.ModuleList(
            Block(dims, before, after) for before, after in zip([channels, *maps], maps, strict=False)
        )
        self.up = nn.ModuleList(transposed(m * 2, m, step, stride=step) for m in reversed(maps[:-1]))
        self.expand = nn.ModuleList(Block(dims, m * 2, m) for m in reversed(maps[:-1]))
        self.head = conv(maps[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of the same spatial size as `x`."""
        height, width = x.shape[-2:]
        x = self._padded(x)
        skips: list[Tensor] = []
        for block in self.contract:
            if skips:
                x = halved(x)
            x = block(x)
            skips.append(x)
        skips.pop()
        for up, block in zip(self.up, self.expand, strict=True):
            x = block(torch.cat([skips.pop(), up(x)], dim=1))
        logits: Tensor = self.head(x)
        return logits[..., :height, :width]

    def _padded(self, x: Tensor) -> Tensor:
        """Zeros below and to the right, up to the next size that halves `depth` times.

        Zero is the mean of a normalised image, and unlike reflection it works for any size.
        """
        below, right = (-size % self.multiple for size in x.shape[-2:])
        return pad(x, (0, right, 0, below)) if below or right else x


def halved(x: Tensor) -> Tensor:
    """The maximum over 2×2 pixels; never over z.

    In 3D slices join the batch: a 2D pooling does, whose gradient is the same bits every time on a
    GPU, which that of 3D pooling is not.
    """
    if x.ndim == 4:
        return max_pool2d(x, 2)
    slices = x.transpose(1, 2)
    pooled = max_pool2d(slices.flatten(0, 1), 2)
    return pooled.reshape(*slices.shape[:3], *pooled.shape[2:]).transpose(1, 2)


def unet2d(task: Task, base: int = 32, depth: int = 4, slices: int = 1, mirror: bool = False) -> nn.Module:
    """The 2D net; `slices` neighbouring slices (odd) are its input channels.

    With `mirror` it predicts the mean over mirrored views of a slice.
    """
    if slices != task.slices:
        raise PluginError(f"slices = {slices}, but the task has {task.slices}", where="unet2d")
    return _unet(task, 2, base, depth, mirror)


def unet3d(task: Task, base: int = 16, depth: int = 4, mirror: bool = False) -> nn.Module:
    """The 3D net; any number of slices. `mirror` as in the 2D net, in-plane."""
    return _unet(task, 3, base, depth, mirror)


def _unet(task: Task, dims: int, base: int, depth: int, mirror: bool) -> nn.Module:
    for name, value in (("base", base), ("depth", depth)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise PluginError(
                f"{name} = {value!r}", where=f"unet{dims}d", remedy="It must be a whole number from 1 up."
            )
    if not isinstance(mirror, bool):
        raise PluginError(f"mirror = {mirror!r}", where=f"unet{dims}d", remedy="It must be true or false.")
    net = UNet(dims, task.channels, task.classes, base, depth)
    return Mirrored(net) if mirror else net
