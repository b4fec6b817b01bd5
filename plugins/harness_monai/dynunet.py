"""MONAI's DynUNet: nnU-Net's architecture, strides and kernels chosen for flat voxels."""

from __future__ import annotations

from typing import Any

from monai.networks.nets import DynUNet
from torch import Tensor, nn

from harness.plugins.records import Task
from harness_monai.levels import Levels, check_slices, whole
from harness_monai.padding import Padded


class Supervised(nn.Module):
    """A DynUNet whose heads give logits at their own size, as nnU-Net's do.

    MONAI's forward pass blows them up to full size, computes them in prediction too, and keeps
    them, and with them a graph, until the next one; this one walks the same blocks without that.
    """

    def __init__(self, net: Any) -> None:
        super().__init__()
        self.down = nn.ModuleList([net.input_block, *net.downsamples, net.bottleneck])
        self.up = net.upsamples
        self.head = net.output_block
        self.heads = net.deep_supervision_heads if net.deep_supervision else nn.ModuleList()

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Logits ``(B, K, ...)`` of the size of `x`; in training then those of halved sizes."""
        skips: list[Tensor] = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        skips.pop()
        finer: list[Tensor] = []
        for block in self.up:
            x = block(x, skips.pop())
            finer.insert(0, x)
        logits: Tensor = self.head(x)
        if not (self.training and len(self.heads)):
            return logits
        return [logits, *(head(each) for head, each in zip(self.heads, finer[1:], strict=False))]


def dynunet(
    task: Task,
    base: int = 32,
    depth: int = 5,
    most: int = 512,
    residual: bool = False,
    deep_supervision: bool = True,
    dropout: float = 0.0,
    slices: int = 1,
    flat: int = 0,
    pool_z: int = 0,
) -> Padded:
    """`base` maps at the top, doubled at each of `depth` halvings (2 at least) up to `most`.

    With `deep_supervision` all levels but the two coarsest have a head, as in nnU-Net, which makes
    one of the last but gives it no weight.
    """
    where = f"monai-dynunet{task.dims}d"
    check_slices(task, slices, where)
    whole("depth", depth, where, 2)
    levels = Levels.of(task, depth, flat, pool_z)
    filters = [min(whole("base", base, where) * 2**level, most) for level in range(depth + 1)]
    net = DynUNet(
        spatial_dims=task.dims,
        in_channels=task.channels,
        out_channels=task.classes,
        kernel_size=levels.kernels,
        strides=[(1,) * task.dims, *levels.strides],
        upsample_kernel_size=levels.strides,
        filters=filters,
        dropout=dropout or None,
        deep_supervision=deep_supervision and depth > 2,
        deep_supr_num=max(1, depth - 2),
        res_block=residual,
    )
    return Padded(Supervised(net), levels.multiple)
