"""MONAI's UNet: strided convolutions, residual units, transposed convolutions."""

from __future__ import annotations

from monai.networks.nets import UNet

from harness.plugins.records import Task
from harness_monai.levels import Levels, check_slices, whole
from harness_monai.padding import Padded


def unet(
    task: Task,
    base: int = 32,
    depth: int = 4,
    residual: int = 2,
    norm: str = "instance",
    dropout: float = 0.0,
    slices: int = 1,
    flat: int = 0,
    pool_z: int = 0,
) -> Padded:
    """`base` maps at the top, doubled at each of `depth` halvings; `residual` units a level (0: none)."""
    where = f"monai-unet{task.dims}d"
    check_slices(task, slices, where)
    levels = Levels.of(task, depth, flat, pool_z)
    net = UNet(
        spatial_dims=task.dims,
        in_channels=task.channels,
        out_channels=task.classes,
        channels=[whole("base", base, where) * 2**level for level in range(depth + 1)],
        strides=levels.strides,
        num_res_units=whole("residual", residual, where, 0),
        norm=norm,
        dropout=dropout,
    )
    return Padded(net, levels.multiple)
