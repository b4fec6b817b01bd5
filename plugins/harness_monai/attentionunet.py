"""MONAI's AttentionUnet: gates that weigh the skips by what lies below."""

from __future__ import annotations

from monai.networks.nets import AttentionUnet

from harness.plugins.records import Task
from harness_monai.levels import Levels, check_slices, whole
from harness_monai.padding import Padded


def attentionunet(
    task: Task,
    base: int = 32,
    depth: int = 4,
    dropout: float = 0.0,
    slices: int = 1,
    flat: int = 0,
    pool_z: int = 0,
) -> Padded:
    """`base` maps (2 at least) at the top, doubled at each of `depth` halvings."""
    where = f"monai-attentionunet{task.dims}d"
    check_slices(task, slices, where)
    levels = Levels.of(task, depth, flat, pool_z)
    net = AttentionUnet(
        spatial_dims=task.dims,
        in_channels=task.channels,
        out_channels=task.classes,
        # A gate has half as many maps as its level.
        channels=[whole("base", base, where, 2) * 2**level for level in range(depth + 1)],
        strides=levels.strides,
        dropout=dropout,
    )
    return Padded(net, levels.multiple)
