"""Any image size for networks that take only multiples of their strides."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class Padded(nn.Module):
    """`net` for images of any size: padded before, cropped after, each of several outputs too.

    In the plane zeros go below and to the right, up to the next multiple: zero is the mean of a
    normalised image. Along z the last slice is repeated, as training does with low volumes.
    """

    def __init__(self, net: nn.Module, multiple: Sequence[int]) -> None:
        super().__init__()
        self.net = net
        self.multiple = tuple(multiple)

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Logits ``(B, K, ...)`` of the size of `x` ``(B, C, ...)``; a list if `net` gives one."""
        size = tuple(x.shape[2:])
        padded = padded_size(size, self.multiple)
        given = self.net(grown(x, padded))
        if isinstance(given, Tensor):
            return cropped(given, size, padded)
        return [cropped(each, size, padded) for each in given]


def padded_size(size: Sequence[int], multiple: Sequence[int]) -> tuple[int, ...]:
    """The next multiples; along x twice that where only one value would be left to normalise."""
    padded = [-(-length // step) * step for length, step in zip(size, multiple, strict=True)]
    if padded == list(multiple):
        padded[-1] *= 2
    return tuple(padded)


def grown(x: Tensor, size: Sequence[int]) -> Tensor:
    """`x` ``(B, C, [D,] H, W)`` padded to `size`."""
    below, right = (want - have for want, have in zip(size[-2:], x.shape[-2:], strict=True))
    if below or right:
        x = pad(x, (0, right, 0, below))
    if x.ndim == 5 and size[0] > x.shape[2]:
        # Not by pad(mode="replicate"), whose gradient a deterministic protocol refuses on a GPU.
        last = x[:, :, -1:].expand(-1, -1, size[0] - x.shape[2], -1, -1)
        x = torch.cat([x, last], dim=2)
    return x


def cropped(logits: Tensor, size: Sequence[int], padded: Sequence[int]) -> Tensor:
    """`logits` of an image padded to `padded`, or of a coarser level, without what was padded."""
    for axis, (length, whole) in enumerate(zip(size, padded, strict=True), 2):
        factor = whole // logits.shape[axis]
        logits = logits.narrow(axis, 0, -(-length // factor))
    return logits
