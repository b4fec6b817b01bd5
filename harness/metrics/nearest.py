"""Nearest voxels: a walk over offsets in order of distance, and a tree for what is far away.

Most border voxels coincide with the other border or are a voxel or two from it, so the first
offsets that hit answer for them.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Distances = NDArray[np.float64]
Places = NDArray[np.intp]
Spacing = tuple[float, ...]

REACH = 8
"""Voxels that the walk reaches along the axis with the finest spacing, and less along others."""

ROUNDS = (1, 5, 13, *range(29, 200, 16))
"""Offsets tried by the end of each round. The first is no offset: coincident borders."""

BLOCK = 1 << 16
"""Voxels that walk at once, so that memory stays small when nothing fits."""

FEW = 1 << 14
"""Pairs of voxels that are compared one by one sooner than a tree is built."""

DENSE = 25
"""With more than one far voxel in so many, transforming the whole array beats a tree."""


@dataclass(frozen=True, eq=False)
class Offsets:
    """Steps to neighbouring voxels ``(n, axes)``, nearest first, with their lengths; none left out.

    `reach` is at least 1 and the largest step along each axis.
    """

    step: NDArray[np.intp]
    length_mm: Distances
    reach: tuple[int, ...]

    @staticmethod
    @functools.lru_cache(maxsize=256)
    def within_reach(spacing_mm: Spacing) -> Offsets:
        """The first offsets of a grid with this spacing."""
        radius = REACH * min(spacing_mm)
        reach = tuple(int(radius // mm) for mm in spacing_mm)
        step = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))), np.intp)
        length = lengths_mm(step.T, spacing_mm)
        # A step just beyond the radius may be shorter than one in a corner of the box.
        order = np.argsort(length, kind="stable")[: np.count_nonzero(length <= radius)][: ROUNDS[-1]]
        return Offsets(step[order], length[order], tuple(max(1, n) for n in reach))

    def flat(self, shape: tuple[int, ...]) -> Places:
        """The steps as differences of places in a flat array of `shape`."""
        strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        places: Places = self.step @ np.array(strides, np.intp)
        return places


def lengths_mm(steps: Iterable[Places], spacing_mm: Spacing) -> Distances:
    """Lengths of steps, an array an axis, in the order of operations of scipy: equal to the last bit."""
    squares = (np.square(step * mm) for step, mm in zip(steps, spacing_mm, strict=True))
    lengths: Distances = np.sqrt(functools.reduce(np.add, squares))
    return lengths


def walk(
    marks: NDArray[np.unsignedinteger],
    places: Places,
    label: NDArray[np.unsignedinteger],
    steps: Places,
    lengths: Distances,
) -> Distances:
    """Distance in mm from each of `places` to the nearest mark of its label, inf if none is in reach.

    `marks` is flat, `steps` are offsets in it, sorted by their `lengths` in mm.
    """
    distance = np.full(len(places), np.inf)
    for start in range(0, len(places), BLOCK):
        pending = np.arange(start, min(start + BLOCK, len(places)))
        for first, last in itertools.pairwise((0, *ROUNDS)):
            at = places[pending]
            hit = marks.take(np.add.outer(steps[first:last], at)) == label[pending]
            near = np.where(hit, lengths[first:last, None], np.inf).min(axis=0, initial=np.inf)
            distance[pending] = near
            pending = pending[np.isinf(near)]
            if not len(pending):
                break
    return distance


def far_distances(points: Places, targets: Places, shape: tuple[int, ...], spacing_mm: Spacing) -> Distances:
    """Distance in mm from each of `points` to the nearest of `targets`, places in an array of `shape`."""
    if len(points) * DENSE > math.prod(shape):
        return _transform(points, targets, shape, spacing_mm)
    here, there = np.unravel_index(points, shape), np.unravel_index(targets, shape)
    middle = [(axis.min() + axis.max()) // 2 for axis in here]
    off = lengths_mm(_between(middle, there), spacing_mm)
    # Nothing farther from the middle than this can be nearest to a point about it.
    bound = off.min() + 2 * lengths_mm(_between(middle, here), spacing_mm).max()
    near = np.flatnonzero(off <= bound * (1 + 1e-12))
    there = tuple(axis[near] for axis in there)
    if len(points) * len(near) <= FEW:
        steps = (b - a[:, None] for a, b in zip(here, there, strict=True))
        nearest: Distances = lengths_mm(steps, spacing_mm).min(axis=1)
        return nearest

    from scipy.spatial import cKDTree

    # Few questions are asked: a plain tree is sooner built than a balanced one is worth.
    tree = cKDTree(np.stack(there, axis=1) * spacing_mm, compact_nodes=False, balanced_tree=False)
    _, found = tree.query(np.stack(here, axis=1) * spacing_mm)
    return lengths_mm(_between(here, [axis[found] for axis in there]), spacing_mm)


def _between(start: Sequence[Any], end: Sequence[Places]) -> Iterator[Places]:
    """Steps from `start` to `end`, by axis."""
    return (b - a for a, b in zip(start, end, strict=True))


def _transform(points: Places, targets: Places, shape: tuple[int, ...], spacing_mm: Spacing) -> Distances:
    from scipy.ndimage import distance_transform_edt

    away = np.ones(math.prod(shape), bool)
    away[targets] = False
    distance: Distances = distance_transform_edt(away.reshape(shape), sampling=spacing_mm)
    return distance.reshape(-1)[points]
