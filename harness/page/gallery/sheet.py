"""The contents of one picture of a case, cropped to the segmented structures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MOST_SLICES = 12
"""Of deeper volumes, so many evenly spaced slices are drawn."""

MOST_TILES = 100
"""The largest number of slices times entries, so that the page can be sent by mail."""

_MARGIN = 0.35
"""Margin around the structures, relative to their size: the surroundings help to explain errors."""


@dataclass(frozen=True)
class Drawn:
    """An entry's `labels` ``(z, y, x)`` in the dataset's values; None where they were not kept.

    `text` stands below its name, such as a score.
    """

    name: str
    text: str
    labels: NDArray[np.uint8] | None


@dataclass(frozen=True)
class Sheet:
    """A case: `image` ``(z, y, x)``, the `reference` and what the entries drew, `spacing_mm` (z, y, x).

    `structures` are label values by name. `slices` are the numbers of the slices in the file, from 1.
    `choice` is the phase that the reader chooses it by, empty without phases.
    """

    key: str
    title: str
    choice: str
    image: NDArray[np.float32]
    reference: NDArray[np.uint8]
    drawn: tuple[Drawn, ...]
    spacing_mm: tuple[float, float, float]
    structures: Mapping[str, int]
    slices: tuple[int, ...] = ()

    def cut(self) -> Sheet:
        """Only the surroundings of what is segmented, the end with the larger structures first.

        That end is a heart's base. Slices without a structure stay: what is drawn there is wrong.
        """
        depth = self.image.shape[0]
        areas = np.count_nonzero(self.reference, axis=(1, 2))
        filled = np.flatnonzero(areas)
        third = max(1, len(filled) // 3)
        turned = len(filled) > 1 and areas[filled[-third:]].sum() > areas[filled[:third]].sum()
        order = np.arange(depth)[::-1] if turned else np.arange(depth)
        most = min(MOST_SLICES, MOST_TILES // max(1, len(self.drawn)))
        if depth > most:
            order = order[np.unique(np.linspace(0, depth - 1, most).round().astype(int))]
        y, x = self._box()

        def part(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return np.ascontiguousarray(labels[order][:, y, x])

        return replace(
            self,
            image=np.ascontiguousarray(self.image[order][:, y, x]),
            reference=part(self.reference),
            drawn=tuple(
                one if one.labels is None else replace(one, labels=part(one.labels)) for one in self.drawn
            ),
            slices=tuple(int(place) + 1 for place in order),
        )

    def _box(self) -> tuple[slice, slice]:
        """In-plane, around everything that anybody segmented."""
        seen = np.zeros(self.reference.shape[1:], dtype=bool)
        for labels in (self.reference, *(one.labels for one in self.drawn)):
            if labels is not None:
                seen |= (labels > 0).any(axis=0)
        if not seen.any():
            return slice(None), slice(None)
        cut = []
        for axis in (0, 1):
            inside = np.flatnonzero(seen.any(axis=1 - axis))
            first, last = int(inside[0]), int(inside[-1]) + 1
            margin = max(4, round(_MARGIN * (last - first) / 2))
            cut.append(slice(max(0, first - margin), min(seen.shape[axis], last + margin)))
        return cut[0], cut[1]


@dataclass(frozen=True)
class Gallery:
    """The sheets of one dataset; `note` says why there are none, or what is missing."""

    sheets: tuple[Sheet, ...] = ()
    note: str = ""
