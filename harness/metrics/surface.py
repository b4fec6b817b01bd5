"""Distances between the borders of one structure in two label maps, exactly as MedPy has them.

MedPy's border of a mask is what erosion by the face-connected neighbours removes; beyond the
array there is nothing, so voxels at its edge are border. MedPy then transforms the whole
volume twice a structure and metric. Here all structures share one comparison of neighbours,
voxels where both borders coincide are 0 at once, most others find the other border within a
few voxels by trying offsets in order of distance, and a tree answers for the rest.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Spacing = tuple[float, ...]

REACH = 6
"""Offsets of up to so many voxels along an axis are tried before the tree is asked."""


@dataclass(frozen=True)
class Borders:
    """Borders of all structures of one label map: `marks` holds the label on borders, 0 elsewhere.

    It is padded by `REACH` voxels. `where` has the flat positions of border voxels in it, in
    order, and `label` theirs.
    """

    marks: NDArray[np.uint8]
    where: NDArray[np.intp]
    label: NDArray[np.uint8]

    @classmethod
    def of(cls, labels: NDArray[np.uint8]) -> Borders:
        """The borders in a label map, 2D or 3D."""
        ring = np.pad(labels, 1)
        differs = np.zeros(labels.shape, bool)
        for axis in range(labels.ndim):
            # One comparison of neighbours serves both of them.
            step = np.diff(ring.view(np.int8), axis=axis).astype(bool)
            trim = tuple(slice(None) if a == axis else slice(1, -1) for a in range(labels.ndim))
            step = step[trim]
            before, after = ([slice(None)] * labels.ndim for _ in range(2))
            before[axis], after[axis] = slice(None, -1), slice(1, None)
            differs |= step[tuple(before)] | step[tuple(after)]
        marks = np.pad(np.where(differs, labels, 0).astype(np.uint8), REACH)
        where = np.flatnonzero(marks)
        return cls(marks, where, marks.reshape(-1)[where])


def directed(source: Borders, target: Borders, label: int, spacing: Spacing) -> NDArray[np.float64]:
    """Distance in mm of each border voxel of `label` in `source`, in order, to the nearest in `target`.

    Both must have that label.
    """
    points = source.where[source.label == label]
    marks = target.marks.reshape(-1)
    distances = np.zeros(len(points))
    pending = np.flatnonzero(marks[points] != label)
    steps, lengths = _offsets(target.marks.shape, spacing)
    for start, stop in _CHUNKS:
        if not len(pending) or start >= len(steps):
            break
        hits = marks[points[pending, None] + steps[start:stop]] == label
        first = hits.argmax(1)
        found = hits[np.arange(len(pending)), first]
        distances[pending[found]] = lengths[start:stop][first[found]]
        pending = pending[~found]
    if len(pending):
        distances[pending] = _by_tree(points[pending], target, label, spacing)
    return distances


_CHUNKS = ((0, 8), (8, 24), (24, 56), (56, 120))
"""Most borders are a voxel or two apart: short trials first."""


@functools.lru_cache(maxsize=256)
def _offsets(shape: tuple[int, ...], spacing: Spacing) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Flat steps in an array of `shape`, nearest first, and their lengths in mm; without the zero step.

    Only lengths below the first one that `REACH` leaves out, so that no nearer voxel is missed.
    """
    box = np.array(list(itertools.product(range(-REACH, REACH + 1), repeat=len(shape))))
    lengths = _length(box, spacing)
    complete = (lengths > 0) & (lengths < (REACH + 1) * min(spacing))
    box, lengths = box[complete], lengths[complete]
    order = np.argsort(lengths, kind="stable")[: _CHUNKS[-1][1]]
    strides = np.cumprod([1, *shape[:0:-1]])[::-1]
    return box[order] @ strides, lengths[order]


def _length(steps: NDArray[np.integer], spacing: Spacing) -> NDArray[np.float64]:
    """Lengths in mm of steps ``(n, axes)``, in scipy's order of operations: equal to the last bit."""
    squares = [np.square(steps[:, axis] * mm) for axis, mm in enumerate(spacing)]
    lengths: NDArray[np.float64] = np.sqrt(functools.reduce(np.add, squares))
    return lengths


def _by_tree(points: NDArray[np.intp], target: Borders, label: int, spacing: Spacing) -> NDArray[np.float64]:
    from scipy.spatial import cKDTree

    shape = target.marks.shape
    here = np.stack(np.unravel_index(points, shape), axis=1)
    there = np.stack(np.unravel_index(target.where[target.label == label], shape), axis=1)
    _, nearest = cKDTree(there * spacing).query(here * spacing)
    return _length(there[nearest] - here, spacing)
