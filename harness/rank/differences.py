"""Paired differences of two entries by patient and cell, and their bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.rank.aggregate import Gathered, Key, case_values
from harness.rank.board import Interval
from harness.rank.bootstrap import LEAST, as_interval, intervals, overall_means, ratio, weighted_sums, weights
from harness.rank.patients import Array, judged, over_cells, patients_of

_DIGITS = 12
"""Differences are rounded, so that equal ones are ties to a test and not noise of the last bit."""


@dataclass(frozen=True)
class Differences:
    """Values of A and B in the patients in common: `paired` where both have one, `complete` as judged.

    Both are patients × 2 × cells, NaN where there is none. In `complete` a structure that one side
    rightly found to be absent is a perfect score against the other's penalty (see
    `patients.judged`): what invents structures must not get away with it. In `paired`, as in the
    means of a board's cells, there is no value there.
    """

    keys: tuple[Key, ...]
    paired: Array
    complete: Array

    @classmethod
    def of(cls, a: Gathered, b: Gathered, keys: Sequence[Key], patients: Collection[str]) -> Differences:
        """From the scores of both, for `patients`."""
        values = [{key: case_values(one[key]) for key in keys} for one in (a, b)]
        table = patients_of(values, keys)
        common = [row for row, name in enumerate(table.names) if name in patients]
        complete = judged(table, [a, b], keys)[common]
        number = np.stack([table.counts[key] for key in keys], axis=-1)[common] if keys else complete
        # Where neither has a value, both were right, and there is nothing to compare.
        complete = np.where((number > 0).any(axis=1, keepdims=True), complete, np.nan)
        paired = np.where((number > 0).all(axis=1, keepdims=True), complete, np.nan)
        return cls(tuple(keys), paired, complete)

    def by_cell(self, resamples: int) -> dict[Key, Interval | None]:
        """The interval of each cell's mean difference, None below two patients."""
        found = _differences(self.paired)
        several = np.isfinite(found).sum(axis=0) >= LEAST
        if not resamples or not several.any():
            return dict.fromkeys(self.keys)
        limits = intervals(*_resampled(found, resamples))[0]
        return {key: as_interval(limits[c]) if several[c] else None for c, key in enumerate(self.keys)}

    def overall(
        self, name: str, resamples: int
    ) -> tuple[float | None, float | None, float | None, Interval | None]:
        """Means of A and B and of B − A over a metric's cells, each equal, and the interval of the last."""
        values = self._of(name)
        both = np.where(np.isfinite(values).all(axis=1, keepdims=True), values, np.nan)
        a, b = (_mean_of_means(both[:, side]) for side in (0, 1))
        if a is None or b is None:
            return a, b, None, None
        found = _differences(both)
        if not resamples or np.isfinite(found).any(axis=1).sum() < LEAST:
            return a, b, b - a, None
        means = overall_means(*_resampled(found, resamples))
        return a, b, b - a, as_interval(intervals(*means)[0])

    def of_patients(self, name: str) -> list[float]:
        """By patient: the mean difference over the cells of a metric that both have."""
        found = np.round(over_cells(_differences(self._of(name))), _DIGITS)
        return [float(value) for value in found if not math.isnan(value)]

    def _of(self, name: str) -> Array:
        return self.complete[:, :, [c for c, key in enumerate(self.keys) if key[0] == name]]


def _differences(values: Array) -> Array:
    found: Array = np.round(values[:, 1] - values[:, 0], _DIGITS)
    return found


def _resampled(found: Array, resamples: int) -> tuple[Array, NDArray[np.bool_]]:
    """Means of the cells as `bootstrap.cell_means` has them, of one entry that is a difference."""
    weight = weights(len(found), resamples)
    has = np.isfinite(found)[:, None, :]
    sums = weighted_sums(weight, np.where(has, found[:, None, :], 0.0))
    return ratio(sums, weighted_sums(weight, has.astype(np.float64)))


def _mean_of_means(values: Array) -> float | None:
    """The mean of the means over patients of the cells (last axis) that have a value."""
    means = [math.fsum(own) / len(own) for column in values.T if len(own := column[np.isfinite(column)])]
    return math.fsum(means) / len(means) if means else None
