"""The fast engine: all structures share one crop, one detection of borders and one search for distances."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.borders import between_borders
from harness.metrics.definitions import Metric

Distances = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDING_MM = 1e-9
"""Added to a tolerance: in floating point, three steps of 0.1 mm are slightly longer than 0.3 mm."""


@dataclass(frozen=True)
class BorderDistances:
    """Distances in mm from the prediction's border voxels to the reference's border, and the reverse."""

    to_reference: Distances
    to_prediction: Distances

    @functools.cached_property
    def pooled(self) -> Distances:
        """All distances, in MedPy's order, on which the last bit of a sum of floats depends."""
        return np.concatenate((self.to_reference, self.to_prediction))

    def value(self, metric: Metric) -> float:
        """The value of a metric of border distances; ValueError for another one."""
        if metric.tolerance_mm is not None:
            within = np.count_nonzero(self.pooled <= metric.tolerance_mm + ROUNDING_MM)
            return float(within / len(self.pooled))
        if metric.name == "hd":
            return float(self.pooled.max())
        if metric.name == "hd95":
            return percentile_95(self.pooled)
        if metric.name == "hd95-directed":
            return max(percentile_95(self.to_reference), percentile_95(self.to_prediction))
        if metric.name == "assd":
            return float(self.pooled.mean())
        raise ValueError(f"{metric.name} is not a metric of borders")


def percentile_95(values: Distances) -> float:
    """``numpy.percentile(values, 95)``, bit for bit, in a third of the time for a few thousand values."""
    position = (len(values) - 1) * 0.95
    low = int(position)
    high = min(low + 1, len(values) - 1)
    ordered = np.partition(values, (low, high))
    below, above, share = float(ordered[low]), float(ordered[high]), position - low
    # NumPy interpolates from the nearer end; from the other one, the result could round differently.
    if share >= 0.5:
        return above - (above - below) * (1 - share)
    return below + (above - below) * share


@dataclass(frozen=True)
class FastPair:
    """One structure in both label maps: its voxel counts, their overlap, and distances between borders.

    `borders` is None if a side is empty or no metric needs border distances.
    """

    reference: int
    prediction: int
    overlap: int
    borders: BorderDistances | None = None

    def value(self, metric: Metric) -> float:
        """The metric's value; both sides must have the structure."""
        if metric.name == "dice":
            return 2.0 * self.overlap / (self.reference + self.prediction)
        if metric.name == "iou":
            return self.overlap / (self.reference + self.prediction - self.overlap)
        assert self.borders is not None
        return self.borders.value(metric)


def measure(
    reference: NDArray[Any],
    prediction: NDArray[Any],
    values: Sequence[int],
    spacing_mm: tuple[float, ...],
    borders: bool,
) -> list[FastPair]:
    """A pair for each label value; with border distances if `borders`."""
    # No structure has a voxel outside the box, so counts, borders and distances are the same inside.
    box = _box(np.logical_or(reference, prediction))
    masks = {value: (reference[box] == value, prediction[box] == value) for value in values}
    pairs = {value: _count(*both) for value, both in masks.items()}
    present = [value for value, pair in pairs.items() if pair.reference and pair.prediction]
    if borders and present:
        distances = between_borders([masks[value] for value in present], spacing_mm)
        for value, both in zip(present, distances, strict=True):
            pairs[value] = replace(pairs[value], borders=BorderDistances(*both))
    return [pairs[value] for value in values]


def _count(reference: Mask, prediction: Mask) -> FastPair:
    # Three counts instead of one bincount: the masks are needed anyway, and counting booleans is fast.
    size = np.count_nonzero
    return FastPair(int(size(reference)), int(size(prediction)), int(size(reference & prediction)))


def _box(used: Mask) -> tuple[slice, ...]:
    """The smallest box around all True voxels, an empty one if there are none."""
    inside = np.flatnonzero(used.any(axis=tuple(range(1, used.ndim))))
    first = slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)
    if used.ndim == 1:
        return (first,)
    flattened: Mask = np.logical_or.reduce(used, axis=0)
    return (first, *_box(flattened))
