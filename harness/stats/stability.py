"""How far a ranking depends on the patients, the training runs and the ranking method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from harness.stats.arrays import DECIMALS, Array, Interval
from harness.stats.confidence_intervals import levels
from harness.stats.ranking import RankMethod


@dataclass(frozen=True)
class MethodTau:
    """Kendall's tau between the rankings by two methods, None where only one of them ties all entries."""

    a: RankMethod
    b: RankMethod
    tau: float | None


@dataclass(frozen=True)
class Stability:
    """Kendall's `tau` of a ranking with its bootstrap rankings (median and 95 % interval).

    `methods` holds tau between the rankings by each two methods.
    """

    resamples: int
    tau: float
    ci95: Interval
    methods: tuple[MethodTau, ...]


def stability(
    ranks: Array, resampled: Array, patients: int, by_method: Mapping[RankMethod, Array]
) -> Stability:
    """Kendall's tau-b of the `ranks` of entries with `resampled` ranks (entries × resamples).

    `patients` is the number of patients that were resampled, and `by_method` the ranks by each method.
    The median is reported because it always lies within the interval; the mean of so skewed a
    distribution may not.
    """
    # Many resamples give the same ranking: each distinct one is compared once.
    rankings, which = np.unique(resampled, axis=1, return_inverse=True)
    # Tau is undefined if only one of the two ties all entries: such a resample counts as 0.
    taus = np.array([tau(ranks, other) or 0.0 for other in rankings.T])[which.ravel()]
    low, high = np.quantile(taus, levels(patients))
    return Stability(
        resampled.shape[1],
        round(float(np.median(taus)), DECIMALS),
        (round(float(low), DECIMALS), round(float(high), DECIMALS)),
        tuple(MethodTau(a, b, tau(by_method[a], by_method[b])) for a, b in combinations(by_method, 2)),
    )


def tau(a: Array, b: Array) -> float | None:
    """Kendall's tau-b; 1 for equal rankings, None where all entries of only one are tied."""
    if np.array_equal(a, b):
        return 1.0
    if (a == a[0]).all() or (b == b[0]).all():
        return None
    from scipy.stats import kendalltau

    return round(float(kendalltau(a, b).statistic), DECIMALS)
