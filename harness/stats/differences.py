"""Paired differences of two entries by patient and cell, and their bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from harness.stats.arrays import DECIMALS, Array, Interval, Key
from harness.stats.bootstrap import divide_counted, overall_means, patient_weights, weighted_sums
from harness.stats.confidence_intervals import MIN_PATIENTS, as_interval, intervals
from harness.stats.patient_scores import mean_over_cells
from harness.stats.seeds import seed_shifts, seed_weights, single_entry_seed_weights


@dataclass(frozen=True)
class OverallDifference:
    """Means of A and B over a metric's cells, each weighted equally, their difference and its interval."""

    mean_a: float | None
    mean_b: float | None
    difference: float | None
    ci95: Interval | None


@dataclass(frozen=True)
class PairedScores:
    """Scores of A and B on the patients in common: patients × 2 × cells, NaN where there is none.

    `paired` has a value where both entries have one, as in the means of a leaderboard's cells. In
    `complete`, an entry that rightly predicts an absent structure as absent has a perfect score against
    the other's penalty, so that inventing structures can't pay off. `seeds` holds, for A and for B, the
    scores of each seed alone: patients × cells × seeds, without any seed where seeds are not resampled.
    """

    keys: tuple[Key, ...]
    paired: Array
    complete: Array
    seeds: tuple[Array, Array]

    def cell_intervals(self, resamples: int) -> dict[Key, Interval | None]:
        """The interval of each cell's mean difference, None with too few patients."""
        number = np.isfinite(_differences(self.paired)).sum(axis=0)
        if not resamples or not (number >= MIN_PATIENTS).any():
            return dict.fromkeys(self.keys)
        means, has_value = self._resampled_means(self.paired, range(len(self.keys)), resamples)
        limits = intervals(means, has_value, number[None])[0]
        return {key: as_interval(limits[c]) for c, key in enumerate(self.keys)}

    def overall(self, metric: str, resamples: int) -> OverallDifference:
        """The overall difference of a metric, over the cells of each patient in which both have a value."""
        columns = self._columns(metric)
        values = self.complete[:, :, columns]
        values = np.where(np.isfinite(values).all(axis=1, keepdims=True), values, np.nan)
        a, b = (_mean_of_means(values[:, side]) for side in (0, 1))
        if a is None or b is None:
            return OverallDifference(a, b, None, None)
        number = int(np.isfinite(_differences(values)).any(axis=1).sum())
        if not resamples or number < MIN_PATIENTS:
            return OverallDifference(a, b, b - a, None)
        means, has_value = overall_means(*self._resampled_means(values, columns, resamples))
        return OverallDifference(a, b, b - a, as_interval(intervals(means, has_value, number)[0]))

    def patient_differences(self, metric: str) -> list[float]:
        """Each patient's mean difference over the cells of a metric in which both have a value."""
        differences = mean_over_cells(_differences(self.complete[:, :, self._columns(metric)]))
        return [float(value) for value in np.round(differences, DECIMALS) if not math.isnan(value)]

    def _columns(self, metric: str) -> list[int]:
        return [c for c, key in enumerate(self.keys) if key[0] == metric]

    def _resampled_means(
        self, values: Array, columns: Sequence[int], resamples: int
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Mean differences of cells, like `bootstrap.cell_means` of one entry: 1 × cells × resamples."""
        differences = _differences(values)[:, None, :]
        weights = patient_weights(len(differences), resamples)
        counted = np.isfinite(differences)
        sums = weighted_sums(weights, np.where(counted, differences, 0.0))
        means, has_value = divide_counted(sums, weighted_sums(weights, counted.astype(np.float64)))
        seed_counts = [scores.shape[-1] for scores in self.seeds]
        drawn = seed_weights(("A", "B"), seed_counts, resamples)
        if min(seed_counts) < 2:
            drawn = single_entry_seed_weights(drawn, seed_counts)
        for side, sign in ((0, -1.0), (1, 1.0)):
            if seed_counts[side] > 1:
                by_seed = _seed_means(self.seeds[side][:, list(columns)], values[:, side])
                means = means + sign * seed_shifts(by_seed, drawn[side])
        return np.where(has_value, means, 0.0), has_value


def _differences(values: Array) -> Array:
    """B − A, rounded so that equal differences are ties in a test."""
    differences: Array = np.round(values[:, 1] - values[:, 0], DECIMALS)
    return differences


def _seed_means(by_seed: Array, values: Array) -> Array:
    """Means by cell and seed, over the patients that have `values`, which replace a seed's missing scores."""
    counted = np.isfinite(values)[:, :, None]
    scores = np.where(counted, np.where(np.isnan(by_seed), values[:, :, None], by_seed), 0.0)
    sums = np.zeros(scores.shape[1:])
    for index in np.ndindex(sums.shape):
        sums[index] = math.fsum(scores[:, *index])
    means: Array = sums / np.maximum(counted.sum(axis=0), 1)
    return means


def _mean_of_means(values: Array) -> float | None:
    """The mean over cells (last axis) of their means over patients; cells without a value are left out."""
    means = [fmean(known) for column in values.T if len(known := column[np.isfinite(column)])]
    return fmean(means) if means else None
