"""Batches gathered from arrays on the device, or in host memory where they don't fit.

The samples of a batch depend on seed and epoch alone, never on earlier steps, so a resumed run
sees the same batches as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from harness.data.prepare import Prepared


@dataclass(frozen=True)
class Resident:
    """Cases from which batches for `device` are gathered.

    `images` ``(S, C, H, W)`` float32 and `labels` ``(S, H, W)`` uint8 lie on the device or on the host. From
    the host, each batch is sent through pinned memory while the device computes. `bounds` holds the first
    and the last slice of each case, `case_of` the case of each slice.
    """

    images: Tensor
    labels: Tensor
    bounds: Tensor
    case_of: Tensor
    device: torch.device

    @classmethod
    def of(
        cls, prepared: Prepared, ids: Sequence[str], device: torch.device, *, on_host: bool = False
    ) -> Resident:
        """The cases `ids`, in this order, on `device` or `on_host`."""
        home = torch.device("cpu") if on_host else device
        position = {id_: index for index, id_ in enumerate(prepared.ids)}
        chosen = [position[id_] for id_ in ids]
        spans = [range(prepared.starts[i], prepared.starts[i] + prepared.depths[i]) for i in chosen]
        rows = [row for span in spans for row in span]
        depths = torch.tensor([len(span) for span in spans])
        ends = depths.cumsum(0)
        images = torch.from_numpy(prepared.images[rows]).to(home)
        return cls(
            images,
            torch.from_numpy(prepared.labels[rows]).to(home),
            torch.stack([ends - depths, ends - 1], dim=1),
            torch.repeat_interleave(torch.arange(len(spans)), depths),
            # The tensors' own device: "cuda" does not equal "cuda:0".
            device if on_host else images.device,
        )

    def coarser(self, side: int, classes: int) -> Resident:
        """The same cases at a resolution reduced by the factor `side`.

        A pixel is the mean of the pixels that it covers and has their most frequent label; of equally
        frequent ones, the lowest. Rows and columns that don't fill a pixel are dropped.
        """
        # In chunks: the masks of all slices at once would take as much memory as the data.
        labels = [_most_frequent(chunk, side, classes) for chunk in torch.split(self.labels, SLICES_AT_ONCE)]
        return replace(self, images=avg_pool2d(self.images, side), labels=torch.cat(labels))

    @property
    def on_host(self) -> bool:
        """Whether the arrays lie on the host while the network is on another device."""
        return self.images.device != self.device

    @property
    def cases(self) -> int:
        """Number of cases."""
        return len(self.bounds)

    def slices(self, rows: Tensor, context: int) -> tuple[Tensor, Tensor]:
        """2D samples: images ``(B, context * C, H, W)`` around `rows`, labels ``(B, H, W)``.

        Beyond the first and last slice of a case, the edge slice is repeated.
        """
        near = rows[:, None] + torch.arange(context) - context // 2
        low, high = self.bounds[self.case_of[rows]].unbind(1)
        near = near.clamp(low[:, None], high[:, None])
        return self._take(self.images, near).flatten(1, 2), self._take(self.labels, rows)

    def volumes(self, cases: Tensor, starts: Tensor, depth: int) -> tuple[Tensor, Tensor]:
        """3D samples of `depth` slices, beginning at `starts`: ``(B, C, D, H, W)`` and ``(B, D, H, W)``.

        In a case with fewer slices the edge slices are repeated, in image and labels alike.
        """
        low, high = self.bounds[cases].unbind(1)
        near = (low + starts)[:, None] + torch.arange(depth)
        near = near.clamp(low[:, None], high[:, None])
        return self._take(self.images, near).transpose(1, 2), self._take(self.labels, near)

    def case(self, number: int) -> tuple[Tensor, Tensor]:
        """All slices of one case on the device: ``(z, C, H, W)`` and ``(z, H, W)``."""
        low, high = self.bounds[number].tolist()
        rows = torch.arange(low, high + 1)
        return self._take(self.images, rows), self._take(self.labels, rows)

    def _take(self, source: Tensor, rows: Tensor) -> Tensor:
        if source.device == self.device:
            return source[rows.to(self.device, non_blocking=True)]
        return source[rows].pin_memory().to(self.device, non_blocking=True)


SLICES_AT_ONCE = 64


def _most_frequent(labels: Tensor, side: int, classes: int) -> Tensor:
    """The most frequent label of each pixel: ``(S, H, W)`` to ``(S, H // side, W // side)``."""
    highest_share = avg_pool2d((labels == 0).float(), side)
    most_frequent = torch.zeros_like(highest_share, dtype=labels.dtype)
    for label in range(1, classes):
        share = avg_pool2d((labels == label).float(), side)
        most_frequent[share > highest_share] = label
        highest_share = torch.maximum(highest_share, share)
    return most_frequent


SHARE = 0.5
"""The fraction of a device's free memory that data may take; the rest is for the network."""


def fits(prepared: Prepared, ids: Sequence[str], free_bytes: int | None, coarser: int | None = None) -> bool:
    """Whether these cases fit on a device with `free_bytes` of memory; None stands for the host itself.

    With `coarser`, a copy at a resolution reduced by that factor is counted too, as an upper bound.
    """
    if free_bytes is None:
        return True
    depth = dict(zip(prepared.ids, prepared.depths, strict=True))
    slices = sum(int(depth[id_]) for id_ in ids)
    images, labels = prepared.images, prepared.labels
    a_slice = images[0].size * images.itemsize + labels[0].size * labels.itemsize
    if coarser is not None:
        a_slice *= 1 + 1 / coarser**2
    return bool(slices * a_slice <= SHARE * free_bytes)


def steps_per_epoch(resident: Resident, dims: int, batch: int, limit: int | None = None) -> int:
    """The number of full batches in an epoch, at least one and at most `limit`.

    An incomplete last batch is dropped: a batch of one sample would disturb batch normalisation.
    """
    samples = len(resident.case_of) if dims == 2 else resident.cases
    whole = max(1, samples // batch)
    return whole if limit is None else min(whole, limit)


def epoch_batches(
    resident: Resident, dims: int, batch: int, context: int, depth: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of one epoch: each slice (2D) or volume (3D) at most once, in random order.

    `generator` is on the CPU. In 3D, a range of `depth` slices is drawn from deeper volumes.
    """
    samples = len(resident.case_of) if dims == 2 else resident.cases
    order = torch.randperm(samples, generator=generator)
    for step in range(steps_per_epoch(resident, dims, batch)):
        rows = order[step * batch : (step + 1) * batch]
        if dims == 2:
            yield resident.slices(rows, context)
        else:
            low, high = resident.bounds[rows].unbind(1)
            room = (high - low + 1 - depth).clamp_min(0)
            starts = (torch.rand(len(rows), generator=generator) * (room + 1)).long()
            yield resident.volumes(rows, torch.minimum(starts, room), depth)
