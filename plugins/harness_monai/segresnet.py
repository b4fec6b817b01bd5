"""MONAI's SegResNet: residual blocks, group norm, linear upsampling."""

from __future__ import annotations

from collections.abc import Sequence

from monai.networks.blocks.segresnet_block import get_conv_layer, get_upsample_layer
from monai.networks.nets import SegResNet

from harness.errors import PluginError
from harness.plugins.records import Task
from harness_monai.levels import Levels, check_slices, whole
from harness_monai.padding import Padded

GROUPS = 8
"""Of MONAI's group norm."""


def segresnet(
    task: Task,
    base: int = 16,
    blocks_down: Sequence[int] = (1, 2, 2, 4),
    blocks_up: Sequence[int] = (1, 1, 1),
    dropout: float = 0.0,
    slices: int = 1,
    flat: int = 0,
    pool_z: int = 0,
) -> Padded:
    """`base` maps (a multiple of 8) at the top, doubled at each level of `blocks_down`."""
    where = f"monai-segresnet{task.dims}d"
    check_slices(task, slices, where)
    if whole("base", base, where, GROUPS) % GROUPS:
        raise PluginError(f"base = {base}", where=where, remedy=f"It must be a multiple of {GROUPS}.")
    if len(blocks_up) != len(blocks_down) - 1:
        raise PluginError(
            f"blocks_up has {len(blocks_up)} levels and blocks_down {len(blocks_down)}",
            where=where,
            remedy="blocks_down must have one more: the coarsest.",
        )
    depth = len(blocks_up)
    levels = Levels.of(task, depth, flat, pool_z)
    net = SegResNet(
        spatial_dims=task.dims,
        init_filters=base,
        in_channels=task.channels,
        out_channels=task.classes,
        dropout_prob=dropout or None,
        blocks_down=tuple(blocks_down),
        blocks_up=tuple(blocks_up),
    )
    for level, stride in enumerate(levels.strides):
        if set(stride) == {2}:
            continue
        # MONAI's own layers, with a stride for each axis.
        maps = base * 2**level
        net.down_layers[level + 1][0] = get_conv_layer(task.dims, maps, 2 * maps, stride=stride)
        net.up_samples[depth - 1 - level][1] = get_upsample_layer(task.dims, maps, scale_factor=stride)
    return Padded(net, levels.multiple)
