"""Distances between the borders of structures in two label maps, equal to MedPy's to the last bit.

In MedPy, the border of a mask is the mask without its erosion by the face-connected neighbours. Erosion
counts everything outside the array as background, so voxels at the edge of the array are border voxels.
MedPy erodes and transforms the whole volume twice for each structure and metric. Here, all
structures of both maps share one comparison of neighbours and one search.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.metrics.nearest_voxels import (
    Distances,
    Indices,
    Offsets,
    far_distances,
    near_distances,
)

Mask = NDArray[np.bool_]


def between_borders(
    masks: Sequence[tuple[Mask, Mask]], spacing_mm: tuple[float, ...]
) -> list[tuple[Distances, Distances]]:
    """Distances in mm from each border voxel to the other side's border, for each pair of masks.

    A pair holds a structure in the reference and in the prediction. All masks have one shape, none is
    empty, and those of one side are disjoint. Each result has the distances from the prediction's border
    voxels to the reference's border, and from the reference's to the prediction's, in the order of the
    array.
    """
    offsets = Offsets.within_reach(spacing_mm)
    borders = border_labels(_label_maps(masks, offsets.reach))
    flat, half, shape = borders.reshape(-1), borders.size // 2, borders.shape[1:]
    voxels = np.flatnonzero(flat != 0)
    label = flat[voxels]
    split = int(np.searchsorted(voxels, half))
    voxels[split:] -= half
    opposite = voxels.copy()
    opposite[:split] += half
    distance = near_distances(flat, opposite, label, offsets.flat(shape), offsets.length_mm)

    def between(start: Indices, target: Indices) -> Distances:
        """Distances of border voxels to others, both given as indices into `voxels`."""
        distances = distance[start]
        far = np.flatnonzero(np.isinf(distances))
        if len(far):
            distances[far] = far_distances(voxels[start[far]], voxels[target], shape, spacing_mm)
        return distances

    results = []
    for number in range(1, len(masks) + 1):
        of_structure = np.flatnonzero(label == number)
        reference, prediction = np.split(of_structure, [np.searchsorted(of_structure, split)])
        results.append((between(prediction, reference), between(reference, prediction)))
    return results


def _label_maps(masks: Sequence[tuple[Mask, Mask]], margin: tuple[int, ...]) -> NDArray[np.unsignedinteger]:
    """Reference and prediction ``(2, ...)`` with structures numbered from 1, in a margin of background."""
    shape = masks[0][0].shape
    dtype = np.min_scalar_type(len(masks))
    maps = np.zeros((2, *(n + 2 * m for n, m in zip(shape, margin, strict=True))), dtype)
    inside = tuple(slice(m, m + n) for n, m in zip(shape, margin, strict=True))
    for side in (0, 1):
        maps[(side, *inside)] = sum(
            np.multiply(pair[side], i, dtype=dtype) for i, pair in enumerate(masks, 1)
        )
    return maps


def border_labels(labels: NDArray[np.unsignedinteger]) -> NDArray[np.unsignedinteger]:
    """The labels of border voxels, 0 elsewhere, for label maps ``(2, ...)`` in a margin of background.

    Neighbours are compared along the flat array, in which the margin separates each row from the next.
    """
    flat = labels.reshape(-1)
    border = np.zeros(flat.shape, bool)
    for axis in range(1, labels.ndim):
        step = int(np.prod(labels.shape[axis + 1 :]))
        differs = flat[:-step] != flat[step:]
        border[:-step] |= differs
        border[step:] |= differs
    return (flat * border).reshape(labels.shape)
