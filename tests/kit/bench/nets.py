"""Networks of other libraries, made as a plugin would make them."""

from __future__ import annotations

from typing import Any

from torch import nn


def nnunet_2d(task: Any, base: int = 32, depth: int = 4) -> nn.Module:
    """nnU-Net's plain convolutional U-Net with as many stages and maps as ours, without deep supervision."""
    return _plain_conv_unet(task, nn.Conv2d, nn.InstanceNorm2d, base, depth, (2, 2))


def nnunet_3d(task: Any, base: int = 16, depth: int = 4) -> nn.Module:
    """The same in 3D, with z untouched as in ours."""
    return _plain_conv_unet(task, nn.Conv3d, nn.InstanceNorm3d, base, depth, (1, 2, 2))


def _plain_conv_unet(task: Any, conv: Any, norm: Any, base: int, depth: int, step: Any) -> nn.Module:
    from dynamic_network_architectures.architectures.unet import PlainConvUNet

    network: nn.Module = PlainConvUNet(
        task.channels,
        depth + 1,
        [base * 2**level for level in range(depth + 1)],
        conv,
        3,
        [tuple(1 for _ in step), *[step] * depth],
        2,
        task.classes,
        2,
        conv_bias=False,
        norm_op=norm,
        norm_op_kwargs={"affine": True},
        nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
    )
    return network
