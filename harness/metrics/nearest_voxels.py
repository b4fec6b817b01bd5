"""Distances to the nearest voxel: offsets tried in order of length, then a tree for distant voxels.

Most border voxels coincide with the other border or are a voxel or two away from it, so one of the
first offsets finds their nearest voxel.
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
Indices = NDArray[np.intp]
Spacing = tuple[float, ...]

REACH = 8
"""The longest offset, in voxels along the axis with the finest spacing (fewer along other axes)."""

ROUNDS = (1, 5, 13, *range(29, 200, 16))
"""The number of offsets tried by the end of each round. The first offset is zero: coincident borders."""

BLOCK = 1 << 16
"""Voxels searched at once, which bounds the memory if no offset finds anything."""

FEW = 1 << 14
"""Up to so many pairs of voxels, comparing all of them is faster than building a tree."""

DENSE = 25
"""If more than one in so many voxels is distant, transforming the whole array is faster than a tree."""


@dataclass(frozen=True, eq=False)
class Offsets:
    """Steps to all voxels up to some distance, ``(n, axes)``, with their lengths, shortest first.

    `reach` is the largest step along each axis, at least 1.
    """

    step: NDArray[np.intp]
    length_mm: Distances
    reach: tuple[int, ...]

    @staticmethod
    @functools.lru_cache(maxsize=256)
    def within_reach(spacing_mm: Spacing) -> Offsets:
        """The shortest offsets of a grid with this spacing, at most ``ROUNDS[-1]``."""
        radius = REACH * min(spacing_mm)
        reach = tuple(int(radius // mm) for mm in spacing_mm)
        step = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))), np.intp)
        length = lengths_mm(step.T, spacing_mm)
        # Without those longer than the radius: steps beyond the box may be shorter than its corners.
        order = np.argsort(length, kind="stable")[: np.count_nonzero(length <= radius)][: ROUNDS[-1]]
        return Offsets(step[order], length[order], tuple(max(1, n) for n in reach))

    def flat(self, shape: tuple[int, ...]) -> Indices:
        """The steps as differences of flat indices in an array of `shape`."""
        strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
        steps: Indices = self.step @ np.array(strides, np.intp)
        return steps


def lengths_mm(steps: Iterable[Indices], spacing_mm: Spacing) -> Distances:
    """Lengths in mm of steps, given as one array for each axis.

    Operations are in the same order as SciPy's, so that lengths are equal to the last bit.
    """
    squares = (np.square(step * mm) for step, mm in zip(steps, spacing_mm, strict=True))
    lengths: Distances = np.sqrt(functools.reduce(np.add, squares))
    return lengths


def near_distances(
    borders: NDArray[np.unsignedinteger],
    voxels: Indices,
    label: NDArray[np.unsignedinteger],
    steps: Indices,
    lengths: Distances,
) -> Distances:
    """Distances in mm from `voxels` to the nearest border voxel of their `label`, inf if none is in reach.

    `borders` is flat; `steps` are offsets in it, sorted by their `lengths` in mm.
    """
    distance = np.full(len(voxels), np.inf)
    for start in range(0, len(voxels), BLOCK):
        pending = np.arange(start, min(start + BLOCK, len(voxels)))
        for first, last in itertools.pairwise((0, *ROUNDS)):
            neighbours = np.add.outer(steps[first:last], voxels[pending])
            hit = borders.take(neighbours) == label[pending]
            shortest = np.where(hit, lengths[first:last, None], np.inf).min(axis=0, initial=np.inf)
            distance[pending] = shortest
            pending = pending[np.isinf(shortest)]
            if not len(pending):
                break
    return distance


def far_distances(
    points: Indices, targets: Indices, shape: tuple[int, ...], spacing_mm: Spacing
) -> Distances:
    """Distances in mm from `points` to the nearest of `targets`, both flat indices in an array of `shape`."""
    if len(points) * DENSE > math.prod(shape):
        return _transform(points, targets, shape, spacing_mm)
    start, end = np.unravel_index(points, shape), np.unravel_index(targets, shape)
    middle = [(axis.min() + axis.max()) // 2 for axis in start]
    from_middle = lengths_mm(_between(middle, end), spacing_mm)
    # By the triangle inequality, no target farther from the middle is nearest to any of the points.
    bound = from_middle.min() + 2 * lengths_mm(_between(middle, start), spacing_mm).max()
    candidates = np.flatnonzero(from_middle <= bound * (1 + 1e-12))
    end = tuple(axis[candidates] for axis in end)
    if len(points) * len(candidates) <= FEW:
        steps = (b - a[:, None] for a, b in zip(start, end, strict=True))
        shortest: Distances = lengths_mm(steps, spacing_mm).min(axis=1)
        return shortest

    from scipy.spatial import cKDTree

    # There are few queries, so balancing the tree would take longer than it saves.
    tree = cKDTree(np.stack(end, axis=1) * spacing_mm, compact_nodes=False, balanced_tree=False)
    _, nearest = tree.query(np.stack(start, axis=1) * spacing_mm)
    return lengths_mm(_between(start, [axis[nearest] for axis in end]), spacing_mm)


def _between(start: Sequence[Any], end: Sequence[Indices]) -> Iterator[Indices]:
    """Steps from `start` to `end`, by axis."""
    return (b - a for a, b in zip(start, end, strict=True))


def _transform(points: Indices, targets: Indices, shape: tuple[int, ...], spacing_mm: Spacing) -> Distances:
    from scipy.ndimage import distance_transform_edt

    is_other = np.ones(math.prod(shape), bool)
    is_other[targets] = False
    distance: Distances = distance_transform_edt(is_other.reshape(shape), sampling=spacing_mm)
    return distance.reshape(-1)[points]
