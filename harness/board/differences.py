"""Paired differences of two entries by patient and cell, and their bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.board.aggregate import Gathered, Key, case_values
from harness.board.bootstrap import overall_means, ratio, weighted_sums, weights
from harness.board.patients import judged, over_cells, patients_of
from harness.board.seeds import alone, draw, shifts
from harness.stats.arrays import Array, Interval
from harness.stats.confidence_intervals import ENOUGH, as_interval, intervals

_DIGITS = 12
"""Differences are rounded, so that equal ones are ties to a test and not noise of the last bit."""


@dataclass(frozen=True)
class Differences:
    """Values of A and B in the patients in common: `paired` where both have one, `complete` as judged.

    Both are patients × 2 × cells, NaN where there is none. In `complete` a structure that one side
    rightly found to be absent is a perfect score against the other's penalty (see
    `patients.judged`): what invents structures must not get away with it. In `paired`, as in the
    means of a board's cells, there is no value there. `seeds` are of either side what it has with each
    seed alone: patients × cells × seeds, none where they are not drawn.
    """

    keys: tuple[Key, ...]
    paired: Array
    complete: Array
    seeds: tuple[Array, Array]

    @classmethod
    def of(
        cls,
        sides: tuple[Gathered, Gathered],
        by_seed: tuple[Sequence[Gathered], Sequence[Gathered]],
        keys: Sequence[Key],
        patients: Collection[str],
    ) -> Differences:
        """From the scores of both, for `patients`; `by_seed` those of each seed that is drawn."""
        gathered = [*sides, *by_seed[0], *by_seed[1]]
        values = [{key: case_values(one[key]) for key in keys if key in one} for one in gathered]
        table = patients_of(values, keys)
        common = [row for row, name in enumerate(table.names) if name in patients]
        everything = judged(table, gathered, keys)[common]
        complete = everything[:, :2]
        number = np.stack([table.counts[key] for key in keys], axis=-1)[common, :2] if keys else complete
        # Where neither has a value, both were right, and there is nothing to compare.
        complete = np.where((number > 0).any(axis=1, keepdims=True), complete, np.nan)
        paired = np.where((number > 0).all(axis=1, keepdims=True), complete, np.nan)
        first = len(by_seed[0])
        of_a, of_b = everything[:, 2 : 2 + first], everything[:, 2 + first :]
        return cls(tuple(keys), paired, complete, (_last(of_a), _last(of_b)))

    def by_cell(self, resamples: int) -> dict[Key, Interval | None]:
        """The interval of each cell's mean difference, None with too few patients."""
        number = np.isfinite(_differences(self.paired)).sum(axis=0)
        if not resamples or not (number >= ENOUGH).any():
            return dict.fromkeys(self.keys)
        limits = intervals(*self._resampled(self.paired, range(len(self.keys)), resamples), number[None])[0]
        return {key: as_interval(limits[c]) for c, key in enumerate(self.keys)}

    def overall(
        self, name: str, resamples: int
    ) -> tuple[float | None, float | None, float | None, Interval | None]:
        """Means of A and B and of B − A over a metric's cells, each equal, and the interval of the last."""
        columns = self._cells(name)
        values = self.complete[:, :, columns]
        both = np.where(np.isfinite(values).all(axis=1, keepdims=True), values, np.nan)
        a, b = (_mean_of_means(both[:, side]) for side in (0, 1))
        if a is None or b is None:
            return a, b, None, None
        number = int(np.isfinite(_differences(both)).any(axis=1).sum())
        if not resamples or number < ENOUGH:
            return a, b, b - a, None
        means = overall_means(*self._resampled(both, columns, resamples))
        return a, b, b - a, as_interval(intervals(*means, number)[0])

    def of_patients(self, name: str) -> list[float]:
        """By patient: the mean difference over the cells of a metric that both have."""
        found = np.round(over_cells(_differences(self.complete[:, :, self._cells(name)])), _DIGITS)
        return [float(value) for value in found if not math.isnan(value)]

    def _cells(self, name: str) -> list[int]:
        return [c for c, key in enumerate(self.keys) if key[0] == name]

    def _resampled(
        self, values: Array, columns: Sequence[int], resamples: int
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Means of cells as `bootstrap.cell_means` has them, of one entry that is the difference of two."""
        found = _differences(values)
        weight = weights(len(found), resamples)
        has = np.isfinite(found)[:, None, :]
        sums = weighted_sums(weight, np.where(has, found[:, None, :], 0.0))
        means, known = ratio(sums, weighted_sums(weight, has.astype(np.float64)))
        numbers = [one.shape[-1] for one in self.seeds]
        drawn = draw(("A", "B"), numbers, resamples)
        if min(numbers) < 2:
            drawn = alone(drawn, numbers)
        for side, sign in ((0, -1.0), (1, 1.0)):
            if numbers[side] > 1:
                own = self.seeds[side][:, list(columns)]
                means = means + sign * shifts(_seed_means(own, values[:, side]), drawn[side])
        return np.where(known, means, 0.0), known


def _differences(values: Array) -> Array:
    found: Array = np.round(values[:, 1] - values[:, 0], _DIGITS)
    return found


def _last(values: Array) -> Array:
    """Patients × seeds × cells with the seeds last."""
    return np.moveaxis(values, 1, 2)


def _seed_means(alone: Array, values: Array) -> Array:
    """Means by cell and seed over the patients that have `values`; these stand where a seed has none."""
    counted = np.isfinite(values)[:, :, None]
    told = np.where(counted, np.where(np.isnan(alone), values[:, :, None], alone), 0.0)
    sums = np.zeros(told.shape[1:])
    for place in np.ndindex(sums.shape):
        sums[place] = math.fsum(told[:, *place])
    means: Array = sums / np.maximum(counted.sum(axis=0), 1)
    return means


def _mean_of_means(values: Array) -> float | None:
    """The mean of the means over patients of the cells (last axis) that have a value."""
    means = [math.fsum(own) / len(own) for column in values.T if len(own := column[np.isfinite(column)])]
    return math.fsum(means) / len(means) if means else None
