"""Batches gathered from arrays that live on the device, or in host memory where they don't fit.

Which samples make a batch depends on seed and epoch alone, never on what ran before, so a
resumed run sees the batches that an uninterrupted one sees.
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
    """Cases that batches for `device` are gathered from.

    `images` ``(S, C, H, W)`` float32 and `labels` ``(S, H, W)`` uint8 lie on the device, or on the
    host, from where each batch is sent through pinned memory while the device computes. `bounds`
    holds first and last slice of each case; `case_of` the case of each slice.
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
        """These cases in the order of `ids`, on `device` or `on_host`."""
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
            # As tensors there name it: "cuda" is not equal to their "cuda:0".
            device if on_host else images.device,
        )

    def coarser(self, side: int, classes: int) -> Resident:
        """The same cases in pixels of `side` times the side.

        Each is the mean of those in it, and has their commonest label; of equally common ones the lowest.
        Rows and columns that fill no pixel are left out.
        """
        # A part at a time: all masks of all slices at once would take as much as the data.
        labels = [_commonest(part, side, classes) for part in torch.split(self.labels, SLICES_AT_ONCE)]
        return replace(self, images=avg_pool2d(self.images, side), labels=torch.cat(labels))

    @property
    def cases(self) -> int:
        """Number of cases."""
        return len(self.bounds)

    def slices(self, rows: Tensor, context: int) -> tuple[Tensor, Tensor]:
        """2D samples: images ``(B, context * C, H, W)`` around `rows`, labels ``(B, H, W)``.

        Beyond the first and last slice of a case its edge slice is repeated.
        """
        near = rows[:, None] + torch.arange(context) - context // 2
        low, high = self.bounds[self.case_of[rows]].unbind(1)
        near = near.clamp(low[:, None], high[:, None])
        return self._take(self.images, near).flatten(1, 2), self._take(self.labels, rows)

    def volumes(self, cases: Tensor, starts: Tensor, depth: int) -> tuple[Tensor, Tensor]:
        """3D samples of `depth` slices from `starts` on: ``(B, C, D, H, W)`` and ``(B, D, H, W)``.

        A case with fewer slices has its edge slices repeated, in image and labels alike.
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


def _commonest(labels: Tensor, side: int, classes: int) -> Tensor:
    """``(S, H, W)`` labels as ``(S, H // side, W // side)``."""
    most = avg_pool2d((labels == 0).float(), side)
    commonest = torch.zeros_like(most, dtype=labels.dtype)
    for label in range(1, classes):
        share = avg_pool2d((labels == label).float(), side)
        commonest[share > most] = label
        most = torch.maximum(most, share)
    return commonest


SHARE = 0.5
"""Of the free memory of a device, data may take this much: the rest is the network's."""


def fits(prepared: Prepared, ids: Sequence[str], free_bytes: int | None, coarser: int | None = None) -> bool:
    """Whether these cases may live on a device with so much free memory; None is the host itself.

    With `coarser`, beside a copy of all of them, an upper bound, in pixels with so many times the side.
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
    """Whole batches in an epoch, at least one: a leftover of one sample would upset batch norm.

    With `limit`, no more than so many.
    """
    samples = len(resident.case_of) if dims == 2 else resident.cases
    whole = max(1, samples // batch)
    return whole if limit is None else min(whole, limit)


def epoch_batches(
    resident: Resident, dims: int, batch: int, context: int, depth: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of one epoch: each slice (2D) or volume (3D) at most once, in random order.

    `generator` is on the CPU. In 3D a window of `depth` slices is drawn from longer volumes.
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
