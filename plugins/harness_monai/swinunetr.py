"""MONAI's SwinUNETR: a shifted-window transformer whose merging leaves z alone where told to."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.blocks.dynunet_block import get_conv_layer
from monai.networks.blocks.patchembedding import PatchEmbed
from monai.networks.nets import SwinUNETR
from torch import Tensor, nn

from harness.errors import PluginError
from harness.plugins.records import Task
from harness_monai.levels import Levels, check_slices, whole
from harness_monai.padding import Padded

STAGES = 4
"""Of the transformer; the patches before them are one halving more."""


class InPlaneMerging(nn.Module):
    """Swin's patch merging of 2×2 tokens of a slice, for MONAI's of 2×2×2."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * maps)
        self.reduction = nn.Linear(4 * maps, 2 * maps, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """``(B, D, H, W, C)`` to ``(B, D, H / 2, W / 2, 2 C)``; H and W even."""
        parts = [x[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        merged: Tensor = self.reduction(self.norm(torch.cat(parts, dim=-1)))
        return merged


def swinunetr(
    task: Task,
    base: int = 24,
    blocks: Sequence[int] = (2, 2, 2, 2),
    heads: Sequence[int] = (3, 6, 12, 24),
    window: int | Sequence[int] = 7,
    dropout: float = 0.0,
    slices: int = 1,
    flat: int = 0,
    pool_z: int = 0,
) -> Padded:
    """`base` maps (a multiple of 12) after the patches, doubled at each stage; `window` in tokens.

    `blocks` and `heads` (of attention) are those of the four stages.
    """
    where = f"monai-swinunetr{task.dims}d"
    check_slices(task, slices, where)
    if whole("base", base, where, 12) % 12:
        raise PluginError(f"base = {base}", where=where, remedy="It must be a multiple of 12.")
    if len(blocks) != STAGES or len(heads) != STAGES:
        raise PluginError(
            f"blocks = {list(blocks)}, heads = {list(heads)}", where=where, remedy="Give four of each."
        )
    for stage, each in enumerate(heads):
        if base * 2**stage % whole("heads", each, where):
            raise PluginError(
                f"{each} heads don't divide the {base * 2**stage} maps of stage {stage + 1}",
                where=where,
                remedy="Take heads that divide base, doubled at each stage.",
            )
    levels = Levels.of(task, STAGES + 1, flat, pool_z)
    net = SwinUNETR(
        in_channels=task.channels,
        out_channels=task.classes,
        depths=tuple(blocks),
        num_heads=tuple(heads),
        window_size=window if isinstance(window, int) else tuple(window),
        feature_size=base,
        drop_rate=dropout,
        spatial_dims=task.dims,
    )
    _restride(net, task, base, levels)
    return Padded(net, levels.multiple)


def _restride(net: SwinUNETR, task: Task, base: int, levels: Levels) -> None:
    """Replace what halves and doubles z where `levels` don't; MONAI's takes one number for all axes."""
    if task.dims == 2:
        return
    # It asks for multiples of 32 along z too; Padded sees to those that are needed.
    net._check_input_size = lambda spatial_shape: None
    for level, stride in enumerate(levels.strides):
        if set(stride) == {2}:
            continue
        fine = base * 2 ** max(0, level - 1)
        coarse = base * 2**level
        if level == 0:
            net.swinViT.patch_embed = PatchEmbed(
                patch_size=stride, in_chans=task.channels, embed_dim=base, norm_layer=None, spatial_dims=3
            )
        else:
            getattr(net.swinViT, f"layers{level}")[0].downsample = InPlaneMerging(fine)
        decoder = getattr(net, f"decoder{level + 1}")
        decoder.transp_conv = get_conv_layer(
            3, coarse, fine, kernel_size=stride, stride=stride, conv_only=True, is_transposed=True
        )
