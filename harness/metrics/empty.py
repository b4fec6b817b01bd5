"""Scores of structures that are missing on one side or on both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from harness.errors import ConfigError
from harness.metrics.definitions import Metric
from harness.store.record import State


@dataclass(frozen=True)
class EmptyPolicy:
    """Scores of a structure that one side lacks, or both.

    `one_empty_distance` is the distance if one side lacks the structure: ``"diagonal"`` is
    the image's diagonal in mm, the length of the vector shape × spacing, which no distance inside
    the image exceeds. A number of mm applies if it is larger than the diagonal; a smaller
    penalty would reward omitting difficult structures. Overlaps and nsd are 0.
    `both_empty`: ``"exclude"`` gives no value and the state ``both-empty``, which means count but
    exclude; ``"perfect"`` gives the value of a perfect match, 1 or 0 mm, and the state ``ok``.
    ConfigError for anything else.
    """

    one_empty_distance: Literal["diagonal"] | float = "diagonal"
    both_empty: Literal["exclude", "perfect"] = "exclude"

    def __post_init__(self) -> None:
        mm = self.one_empty_distance
        number = isinstance(mm, int | float) and not isinstance(mm, bool)
        if mm != "diagonal" and not (number and 0 < float(mm) < math.inf):
            raise ConfigError(
                f"one_empty_distance is {mm!r}", remedy="Use 'diagonal' or a number of mm above 0."
            )
        if self.both_empty not in ("exclude", "perfect"):
            raise ConfigError(f"both_empty is {self.both_empty!r}", remedy="Use 'exclude' or 'perfect'.")

    def decide(
        self, metric: Metric, *, reference: int, prediction: int, diagonal_mm: float
    ) -> tuple[float | None, State] | None:
        """Value and state from the voxel counts of both sides; None if the metric has to be computed."""
        if metric.penalty is None or (reference and prediction):
            return None
        if not reference and not prediction:
            return (None, "both-empty") if self.both_empty == "exclude" else (metric.perfect, "ok")
        state: State = "prediction-empty" if reference else "reference-empty"
        return self._penalty(metric, diagonal_mm), state

    def _penalty(self, metric: Metric, diagonal_mm: float) -> float:
        if metric.penalty == "zero":
            return 0.0
        if self.one_empty_distance == "diagonal":
            return diagonal_mm
        return max(float(self.one_empty_distance), diagonal_mm)


DEFAULT = EmptyPolicy()
"""If both sides are empty, no value; if one is, overlap 0 or the image's diagonal. Both are counted."""
