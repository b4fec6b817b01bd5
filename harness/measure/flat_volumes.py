"""A workaround for wrong bf16 gradients of flat volumes on CPUs, in torch 2.13.

If a 3D convolution's input has more than one slice but fewer than its kernel (2 of 3, after a
network has halved z a few times), the bf16 gradient of its weight is wrong or even infinite, for every batch
and width tried; `tests/harness/measure/test_flat_volumes.py` shows it. With one slice, with as many slices as
the kernel, in fp32 and on GPUs it is correct.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn


def in_full_precision(network: nn.Module) -> None:
    """Make the 3D convolutions of `network` compute flat volumes in fp32 under autocast, in place."""
    for module in network.modules():
        if isinstance(module, nn.Conv3d | nn.ConvTranspose3d) and module.kernel_size[0] > 2:
            module.forward = functools.partial(_forward, module)  # type: ignore[method-assign]


def _forward(convolution: nn.Conv3d | nn.ConvTranspose3d, volume: Tensor, *more: object) -> Tensor:
    plain = type(convolution).forward
    if not 1 < volume.shape[-3] < convolution.kernel_size[0]:
        return plain(convolution, volume, *more)  # type: ignore[arg-type]
    with torch.autocast("cpu", enabled=False):
        return plain(convolution, volume.float(), *more)  # type: ignore[arg-type]
