"""A paired bootstrap over patients.

What is drawn, with replacement, are patients: as many as were tested, and the same ones for
every entry and metric, so that differences between entries stay paired. All cases (ED and ES),
seeds and folds of a patient move together, for they are not independent; nothing is stratified.
The interval therefore says what another sample of such patients could have shown, not what
another training could have: that is the noise floor's part (`harness.rank.noise`).

As in challengeR (Wiesenfarth et al. 2021, Sci Rep 11:2369) and, for rankings of biomedical
challenges in general, Maier-Hein et al. 2018 (Nat Commun 9:5217). Limits are percentiles.

Equal input gives equal bits on any machine: the draws are from a generator whose stream is
frozen, and sums are of integers that a float64 holds exactly, whatever order they are added in.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from harness.rank.board import Interval
from harness.rank.patients import Array, Patients

RESAMPLES = 1000
SEED = 0
LIMITS = (0.025, 0.975)
LEAST = 2
"""With fewer patients there is nothing to resample."""


def weights(patients: int, resamples: int = RESAMPLES) -> Array:
    """How often each patient is in each resample: resamples × patients; each row sums to `patients`."""
    # RandomState: NumPy promises never to change its stream (NEP 19), which newer generators don't.
    drawn = np.random.RandomState(SEED).randint(0, patients, size=(resamples, patients))
    flat = drawn + patients * np.arange(resamples)[:, None]
    counted = np.bincount(flat.ravel(), minlength=patients * resamples)
    return counted.reshape(drawn.shape).astype(np.float64)


def weighted_sums(weight: Array, values: Array) -> Array:
    """Sums over patients (first axis of `values`) in each resample, on a new last axis; same bits anywhere.

    Values are rounded to multiples of a power of two, so chosen that no sum needs more than 53
    bits: to about 13 digits for 150 patients.
    """
    flat = values.reshape(len(values), -1)
    most = weight.sum(axis=1).max(initial=1.0) * np.abs(flat).max(axis=0, initial=0.0)
    shift = 52 - np.frexp(most)[1]
    whole = np.rint(np.ldexp(flat, shift)).T @ weight.T
    sums: Array = np.ldexp(whole, -shift[:, None])
    return sums.reshape(*values.shape[1:], len(weight))


def cell_means(table: Patients, name: str, weight: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Means of a metric's cells, entries × cells × resamples, and where there is one (elsewhere 0)."""
    keys = table.cells(name)
    sums = weighted_sums(weight, np.stack([table.sums[key] for key in keys], axis=-1))
    number = weighted_sums(weight, np.stack([table.counts[key] for key in keys], axis=-1))
    return ratio(sums, number)


def ratio(sums: Array, number: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Means where there is something to average, else 0; and where there is."""
    has = number > 0
    return np.divide(sums, number, out=np.zeros_like(sums), where=has), has


def overall_means(means: Array, has: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """Means over the cells (second axis) that have a value, each equal, as `aggregate.overall` has them."""
    total = np.zeros((means.shape[0], means.shape[2]))
    for c in range(means.shape[1]):
        total += means[:, c]
    return ratio(total, has.sum(axis=1).astype(float))


def intervals(samples: Array, has: NDArray[np.bool_]) -> Array:
    """The 95 % limits along the last axis, over the resamples that have a value; NaN where none has."""
    limits = np.moveaxis(np.quantile(samples, LIMITS, axis=-1), 0, -1)
    for index in np.argwhere(~has.all(axis=-1)):
        at = tuple(index)
        drawn = samples[at][has[at]]
        limits[at] = np.quantile(drawn, LIMITS) if len(drawn) else np.nan
    return limits


def as_interval(limits: Array) -> Interval | None:
    """Two limits as plain numbers; None where they are NaN."""
    low, high = float(limits[0]), float(limits[1])
    return None if math.isnan(low) else (low, high)


def rank_intervals(ranks: Array) -> list[tuple[int, int]]:
    """The 95 % limits of each entry's ranks (entries × resamples); both are ranks that occurred."""
    limits = np.quantile(ranks, LIMITS, axis=-1, method="inverted_cdf")
    return [(int(low), int(high)) for low, high in limits.T]


def rank_shares(ranks: Array) -> dict[int, float]:
    """The share of resamples in which an entry takes each rank that it takes at all."""
    taken, number = np.unique(ranks, return_counts=True)
    return {int(rank): int(count) / len(ranks) for rank, count in zip(taken, number, strict=True)}


def difference_limits(differences: Array) -> tuple[float, float]:
    """The 95 % limits of a difference over the resamples; both are values that occurred."""
    low, high = np.quantile(differences, LIMITS, method="inverted_cdf")
    return float(low), float(high)
