"""Scores of entries as arrays: what is resampled, ranked and tested by patient."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.stats.arrays import Array, Key


@dataclass(frozen=True)
class PatientScores:
    """Scores of entries on the same patients.

    `patients` are sorted; `keys` are the cells. `sums` and `counts` hold, for each cell, an array of
    patients × entries with the sum over a patient's cases and their number, both 0 where no case has a
    value. A cell's mean is the total of the sums divided by the total of the counts. `seed_means` holds,
    for each cell, an array of entries × seeds with the mean of each seed alone; it is empty where no
    entry has several seeds.
    """

    patients: tuple[str, ...]
    keys: tuple[Key, ...]
    sums: Mapping[Key, Array]
    counts: Mapping[Key, Array]
    seed_means: Mapping[Key, Array] = field(default_factory=dict)

    def cells(self, metric: str) -> list[Key]:
        """The cells of a metric."""
        return [key for key in self.keys if key[0] == metric]

    def select(self, entries: Sequence[int], metrics: Iterable[str]) -> PatientScores:
        """The scores of the entries with these indices, for these metrics only."""
        keys = tuple(key for metric in metrics for key in self.cells(metric))
        return PatientScores(
            self.patients,
            keys,
            {key: self.sums[key][:, entries] for key in keys},
            {key: self.counts[key][:, entries] for key in keys},
            {key: self.seed_means[key][list(entries)] for key in keys if key in self.seed_means},
        )


def mean_over_cells(values: Array) -> Array:
    """The mean over the cells (last axis) that have a value; NaN where no cell has one."""
    has_value = ~np.isnan(values)
    total, number = np.zeros(values.shape[:-1]), has_value.sum(axis=-1)
    for c in range(values.shape[-1]):
        total += np.where(has_value[..., c], values[..., c], 0.0)
    means: Array = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return means
