"""The MedPy engine: it defines the metrics that MedPy has, and is too slow for anything but checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.definitions import Metric
from harness.metrics.fast_engine import BorderDistances


@dataclass(frozen=True)
class MedpyPair:
    """One structure in both label maps, as uncropped masks."""

    reference_mask: NDArray[np.bool_]
    prediction_mask: NDArray[np.bool_]
    spacing_mm: tuple[float, ...]

    @property
    def reference(self) -> int:
        return int(np.count_nonzero(self.reference_mask))

    @property
    def prediction(self) -> int:
        return int(np.count_nonzero(self.prediction_mask))

    def value(self, metric: Metric) -> float:
        """The metric's value from MedPy, or from MedPy's distances if it lacks the metric."""
        from medpy.metric import binary

        masks = (self.prediction_mask, self.reference_mask)
        if metric.name in ("dice", "iou"):
            return float({"dice": binary.dc, "iou": binary.jc}[metric.name](*masks))
        if metric.name in ("hd", "hd95", "assd"):
            return float(getattr(binary, metric.name)(*masks, voxelspacing=self.spacing_mm))
        distances = getattr(binary, "__surface_distances")
        both_directions = (distances(*pair, self.spacing_mm) for pair in (masks, masks[::-1]))
        return BorderDistances(*both_directions).value(metric)


def measure(
    reference: NDArray[Any],
    prediction: NDArray[Any],
    values: Sequence[int],
    spacing_mm: tuple[float, ...],
    borders: bool,
) -> list[MedpyPair]:
    """A pair for each label value. `borders` is ignored: MedPy computes nothing beforehand."""
    return [MedpyPair(reference == value, prediction == value, spacing_mm) for value in values]
