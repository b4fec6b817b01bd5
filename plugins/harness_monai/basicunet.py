"""MONAI's BasicUNet, and what it shares with UNet++: pooling that leaves z alone."""

from __future__ import annotations

from typing import Any

from monai.networks.blocks import UpSample
from monai.networks.nets import BasicUNet
from torch import nn

from harness.plugins.records import Task
from harness_monai.levels import Axes, Levels, check_slices, whole
from harness_monai.padding import Padded

DEPTH = 4
"""Halvings of MONAI's BasicUNet and BasicUNetPlusPlus."""


def basicunet(
    task: Task,
    base: int = 32,
    norm: str = "instance",
    dropout: float = 0.0,
    slices: int = 1,
    flat: int = 0,
    pool_z: int = 0,
) -> Padded:
    """Maps as MONAI has them with `base` 32: 32, 32, 64, 128, 256, and 32 before the logits."""
    where = f"monai-basicunet{task.dims}d"
    check_slices(task, slices, where)
    levels = Levels.of(task, DEPTH, flat, pool_z)
    net = BasicUNet(
        spatial_dims=task.dims,
        in_channels=task.channels,
        out_channels=task.classes,
        features=features(base, where),
        norm=norm_of(norm),
        dropout=dropout,
    )
    for level, stride in enumerate(levels.strides, 1):
        restride(getattr(net, f"down_{level}"), [getattr(net, f"upcat_{level}")], stride)
    return Padded(net, levels.multiple)


def features(base: int, where: str) -> tuple[int, ...]:
    """The six numbers that MONAI asks for."""
    whole("base", base, where)
    return (base, base, 2 * base, 4 * base, 8 * base, base)


def norm_of(norm: str) -> Any:
    """MONAI's default has learned scales and shifts; its plain name would not."""
    return ("instance", {"affine": True}) if norm == "instance" else norm


def restride(down: Any, ups: list[Any], stride: Axes) -> None:
    """Let a level pool and upsample by `stride` where MONAI's halves every axis."""
    if set(stride) == {2}:
        return
    down.max_pooling = nn.MaxPool3d(stride)
    for up in ups:
        old = up.upsample.deconv
        up.upsample = UpSample(3, old.in_channels, old.out_channels, stride, mode="deconv")
