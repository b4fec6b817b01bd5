"""The limits of 95 % intervals, read off bootstrap samples.

Plain percentiles are too narrow for few patients: a bootstrap of n draws has a variance of (n − 1) / n
times what it should be, and its shape is normal where Student's t is right. Limits are therefore
the expanded percentiles of Hesterberg 2015 (The American Statistician 69:371-386): at the levels α'/2
and 1 − α'/2 with α'/2 = Φ(−√(n / (n − 1)) · t(0.975, n − 1)). For the mean of normal values these are
the limits of the t interval.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from harness.stats.arrays import Array, Interval

LEAST = 2
"""With fewer patients there is nothing to resample."""

ENOUGH = 6
"""Fewer patients have no interval and tell nothing apart: not even if all agree does a two-sided
signed-rank or sign test get below p = 0.05 (2 / 2^5 = 0.0625). The levels lie beyond a thousand samples,
and the outermost samples end at the data, short of the t interval: of 2 to 5 patients they would hold
the mean in 50 to 92 % of the cases."""

_DIGITS = 12
"""Levels are rounded: the last bits of quantiles of t are not the same on every machine."""


@cache
def levels(patients: int) -> tuple[float, float]:
    """The levels of the lower and upper limit for so many patients, `LEAST` or more."""
    from scipy.special import ndtr
    from scipy.stats import t

    expanded = math.sqrt(patients / (patients - 1)) * float(t.ppf(0.975, patients - 1))
    low = round(float(ndtr(-expanded)), _DIGITS)
    return low, 1 - low


def intervals(samples: Array, has: NDArray[np.bool_], patients: Array | int) -> Array:
    """The 95 % limits along the last axis, over the resamples that have a value; NaN where none has.

    `patients` are how many each mean is over, of the shape of the other axes, or one for all; with
    too few there are no limits.
    """
    number = np.broadcast_to(patients, samples.shape[:-1])
    limits = np.full((*samples.shape[:-1], 2), np.nan)
    for n in np.unique(number[number >= ENOUGH]):
        alike = number == n
        own = samples if alike.all() else samples[alike]
        limits[alike] = np.moveaxis(np.quantile(own, levels(int(n)), axis=-1), 0, -1).reshape(-1, 2)
    for index in np.argwhere(~has.all(axis=-1) & (number >= ENOUGH)):
        at = tuple(index)
        drawn = samples[at][has[at]]
        limits[at] = np.quantile(drawn, levels(int(number[at]))) if len(drawn) else np.nan
    return limits


def as_interval(limits: Array) -> Interval | None:
    """Two limits as plain numbers; None where they are NaN."""
    low, high = float(limits[0]), float(limits[1])
    return None if math.isnan(low) else (low, high)


def rank_intervals(ranks: Array, patients: int) -> list[tuple[int, int]]:
    """The 95 % limits of each entry's ranks (entries × resamples); both are ranks that occurred.

    With too few patients to tell anything apart, every rank is possible.
    """
    if patients < ENOUGH:
        return [(1, len(ranks))] * len(ranks)
    limits = np.quantile(ranks, levels(patients), axis=-1, method="inverted_cdf")
    return [(int(low), int(high)) for low, high in limits.T]


def apart(figures: Array, patients: int) -> NDArray[np.bool_]:
    """Which entries are told apart (entries × entries) by `figures`, entries × resamples.

    That is where the interval of the paired difference excludes 0: no more of its resamples than
    the level of a limit are at 0 or on the other side.
    """
    entries, resamples = figures.shape
    found = np.zeros((entries, entries), dtype=bool)
    if patients < ENOUGH:
        return found
    most = levels(patients)[0] * resamples
    for row, own in enumerate(figures):
        others = figures[row + 1 :]
        below, above = (others <= own).sum(axis=1), (others >= own).sum(axis=1)
        found[row, row + 1 :] = np.minimum(below, above) < most
    return found | found.T
