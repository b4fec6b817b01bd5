"""The fast engine: one crop, one look for borders and one search for distances for all structures."""

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
"""Three steps of 0.1 mm are a hair more than 0.3 mm in floating point, and within 0.3 mm to us."""


@dataclass(frozen=True)
class Borders:
    """Distances in mm: of the prediction's border voxels to the reference's border, and back."""

    to_reference: Distances
    to_prediction: Distances

    @functools.cached_property
    def pooled(self) -> Distances:
        """Both, in MedPy's order: sums of floats depend on it in the last bit."""
        return np.concatenate((self.to_reference, self.to_prediction))

    def value(self, metric: Metric) -> float:
        """A metric of borders."""
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
    place = (len(values) - 1) * 0.95
    low = int(place)
    high = min(low + 1, len(values) - 1)
    ordered = np.partition(values, (low, high))
    below, above, share = float(ordered[low]), float(ordered[high]), place - low
    # From the nearer end, as numpy interpolates: the other way rounds otherwise.
    if share >= 0.5:
        return above - (above - below) * (1 - share)
    return below + (above - below) * share


@dataclass(frozen=True)
class FastPair:
    """One structure in both label maps: voxels of either and of both, distances between borders.

    `borders` is None where a side is empty or no metric asked for them.
    """

    reference: int
    prediction: int
    overlap: int
    borders: Borders | None = None

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
    """A pair for each label value; with distances if `borders`."""
    # No structure has a voxel outside, so counts, borders and distances are the same inside.
    box = _box(np.logical_or(reference, prediction))
    masks = {value: (reference[box] == value, prediction[box] == value) for value in values}
    pairs = {value: _count(*both) for value, both in masks.items()}
    present = [value for value, pair in pairs.items() if pair.reference and pair.prediction]
    if borders and present:
        distances = between_borders([masks[value] for value in present], spacing_mm)
        for value, both in zip(present, distances, strict=True):
            pairs[value] = replace(pairs[value], borders=Borders(*both))
    return [pairs[value] for value in values]


def _count(reference: Mask, prediction: Mask) -> FastPair:
    # Of three counts rather than of bincount: masks are needed anyway, and counting bits is quick.
    size = np.count_nonzero
    return FastPair(int(size(reference)), int(size(prediction)), int(size(reference & prediction)))


def _box(used: Mask) -> tuple[slice, ...]:
    """The smallest box about all that is True, an empty one where nothing is."""
    inside = np.flatnonzero(used.any(axis=tuple(range(1, used.ndim))))
    first = slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)
    if used.ndim == 1:
        return (first,)
    flattened: Mask = np.logical_or.reduce(used, axis=0)
    return (first, *_box(flattened))
