"""Whether other patients, another training or another method would have given another ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.stats.arrays import Array, Interval
from harness.stats.confidence_intervals import levels
from harness.stats.ranking import RankMethod

_DIGITS = 12


@dataclass(frozen=True)
class MethodTau:
    """Kendall's tau between the rankings by two methods, None where one of them ties all entries."""

    a: RankMethod
    b: RankMethod
    tau: float | None


@dataclass(frozen=True)
class Stability:
    """How the ranking holds: Kendall's `tau` with the bootstrap rankings (median, 95 % interval), and
    between the rankings by each two methods.
    """

    resamples: int
    tau: float
    ci95: Interval
    methods: tuple[MethodTau, ...]


def stability(
    ranks: Array, resampled: Array, patients: int, by_method: Mapping[RankMethod, Array]
) -> Stability:
    """Kendall's tau-b of the `ranks` of entries with `resampled` ones (entries × resamples) of `patients`.

    Told by its median, which no interval leaves out as it may the mean of so skewed a thing.
    `by_method` are the ranks by each method, whose taus are told pair by pair.
    """
    # Resamples often agree: each ranking that occurs is compared once.
    rankings, which = np.unique(resampled, axis=1, return_inverse=True)
    # A resample in which all tie (or else the ranking does) says nothing for it.
    taus = np.array([tau(ranks, other) or 0.0 for other in rankings.T])[which.ravel()]
    low, high = np.quantile(taus, levels(patients))
    return Stability(
        resampled.shape[1],
        round(float(np.median(taus)), _DIGITS),
        (round(float(low), _DIGITS), round(float(high), _DIGITS)),
        tuple(MethodTau(a, b, tau(by_method[a], by_method[b])) for a, b in combinations(by_method, 2)),
    )


def tau(a: Array, b: Array) -> float | None:
    """Kendall's tau-b; 1 for equal rankings, None where all entries of only one are tied."""
    if np.array_equal(a, b):
        return 1.0
    if (a == a[0]).all() or (b == b[0]).all():
        return None
    from scipy.stats import kendalltau

    return round(float(kendalltau(a, b).statistic), _DIGITS)
