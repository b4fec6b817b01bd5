"""Distances between the borders of structures in two label maps, exactly as MedPy has them.

MedPy's border of a mask is the mask without its erosion by the face-connected neighbours;
erosion takes what lies beyond the array for background, so voxels at its edge are border.
MedPy erodes and transforms the whole volume twice for each structure and metric. Here all
structures of both maps share one comparison of neighbours and one search.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.metrics.nearest import Distances, Offsets, Places, far_distances, walk

Mask = NDArray[np.bool_]


def between_borders(
    masks: Sequence[tuple[Mask, Mask]], spacing_mm: tuple[float, ...]
) -> list[tuple[Distances, Distances]]:
    """Distances in mm of border voxels to the nearest of the other side, for each pair of masks.

    `masks` holds a structure in the reference and in the prediction, all of one shape, none empty,
    disjoint on each side. A result is the distances of the prediction's border voxels to the
    reference's border, and those of the reference's to the prediction's, in the order of the array.
    """
    offsets = Offsets.within_reach(spacing_mm)
    marks = border_marks(_paint(masks, offsets.reach))
    flat, half, shape = marks.reshape(-1), marks.size // 2, marks.shape[1:]
    where = np.flatnonzero(flat != 0)
    label = flat[where]
    split = int(np.searchsorted(where, half))
    where[split:] -= half
    opposite = where.copy()
    opposite[:split] += half
    distance = walk(flat, opposite, label, offsets.flat(shape), offsets.length_mm)

    def between(own: Places, other: Places) -> Distances:
        found = distance[own]
        far = np.flatnonzero(np.isinf(found))
        if len(far):
            found[far] = far_distances(where[own[far]], where[other], shape, spacing_mm)
        return found

    results = []
    for number in range(1, len(masks) + 1):
        both = np.flatnonzero(label == number)
        reference, prediction = np.split(both, [np.searchsorted(both, split)])
        results.append((between(prediction, reference), between(reference, prediction)))
    return results


def _paint(masks: Sequence[tuple[Mask, Mask]], margin: tuple[int, ...]) -> NDArray[np.unsignedinteger]:
    """Reference and prediction ``(2, ...)`` with structures numbered from 1, in a margin of background."""
    shape = masks[0][0].shape
    kind = np.min_scalar_type(len(masks))
    painted = np.zeros((2, *(n + 2 * m for n, m in zip(shape, margin, strict=True))), kind)
    inside = tuple(slice(m, m + n) for n, m in zip(shape, margin, strict=True))
    for side in (0, 1):
        numbered = sum(np.multiply(pair[side], i, dtype=kind) for i, pair in enumerate(masks, 1))
        painted[(side, *inside)] = numbered
    return painted


def border_marks(labels: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """The labels of border voxels, 0 elsewhere, of maps ``(2, ...)`` within a margin of background.

    Neighbours are compared along the flat array, where a line of the margin parts each row from the next.
    """
    flat = labels.reshape(-1)
    border = np.zeros(flat.shape, bool)
    for axis in range(1, labels.ndim):
        step = int(np.prod(labels.shape[axis + 1 :]))
        differs = flat[:-step] != flat[step:]
        border[:-step] |= differs
        border[step:] |= differs
    return (flat * border).reshape(labels.shape)
