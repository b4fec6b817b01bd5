"""95 % confidence intervals from bootstrap samples.

Plain percentiles give intervals that are too narrow for few patients: a bootstrap of n patients has a
variance of (n − 1) / n times what it should be, and its shape is normal where Student's t is right. The
limits are therefore the expanded percentiles of Hesterberg 2015 (The American Statistician 69:371-386),
at the levels α'/2 and 1 − α'/2 with α'/2 = Φ(−√(n / (n − 1)) · t(0.975, n − 1)). For the mean of normal
values these are the limits of the t interval.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from harness.stats.arrays import DECIMALS, Array, Interval

MIN_TO_RESAMPLE = 2
"""With fewer patients there is nothing to resample."""

MIN_PATIENTS = 6
"""Fewer patients have no interval, and no entries are significantly different on them. A two-sided
signed-rank or sign test on five does not reach p < 0.05 even if all agree (2 / 2^5 = 0.0625). The levels
are beyond the reach of a thousand resamples, whose most extreme means end at the data, short of the
t interval: on 2 to 5 patients such intervals would cover the mean in only 50 to 92 % of cases."""


@cache
def levels(patients: int) -> tuple[float, float]:
    """The levels of the lower and upper limit for this number of patients, `MIN_TO_RESAMPLE` or more.

    They are rounded, because the last bits of quantiles of t are not the same on every machine.
    """
    from scipy.special import ndtr
    from scipy.stats import t

    expanded = math.sqrt(patients / (patients - 1)) * float(t.ppf(0.975, patients - 1))
    low = round(float(ndtr(-expanded)), DECIMALS)
    return low, 1 - low


def intervals(samples: Array, has_value: NDArray[np.bool_], patients: Array | int) -> Array:
    """The 95 % limits along the last axis (resamples) of `samples`, on a last axis of two.

    Resamples without a value are left out. `patients` is the number of patients behind each mean, in the
    shape of the other axes, or one number for all. Limits are NaN where no resample has a value or
    there are fewer than `MIN_PATIENTS`.
    """
    patients = np.broadcast_to(patients, samples.shape[:-1])
    limits = np.full((*samples.shape[:-1], 2), np.nan)
    for n in np.unique(patients[patients >= MIN_PATIENTS]):
        selected = patients == n
        selected_samples = samples if selected.all() else samples[selected]
        quantiles = np.quantile(selected_samples, levels(int(n)), axis=-1)
        limits[selected] = np.moveaxis(quantiles, 0, -1).reshape(-1, 2)
    for index in map(tuple, np.argwhere(~has_value.all(axis=-1) & (patients >= MIN_PATIENTS))):
        known = samples[index][has_value[index]]
        limits[index] = np.quantile(known, levels(int(patients[index]))) if len(known) else np.nan
    return limits


def as_interval(limits: Array) -> Interval | None:
    """Two limits as plain numbers; None where they are NaN."""
    low, high = float(limits[0]), float(limits[1])
    return None if math.isnan(low) else (low, high)


def rank_intervals(ranks: Array, patients: int) -> list[tuple[int, int]]:
    """The 95 % limits of each entry's `ranks` (entries × resamples), which are ranks that it has.

    With fewer than `MIN_PATIENTS`, every rank is possible.
    """
    if patients < MIN_PATIENTS:
        return [(1, len(ranks))] * len(ranks)
    limits = np.quantile(ranks, levels(patients), axis=-1, method="inverted_cdf")
    return [(int(low), int(high)) for low, high in limits.T]


def significantly_different(values: Array, patients: int) -> NDArray[np.bool_]:
    """Which pairs of entries (entries × entries) differ significantly in `values`, entries × resamples.

    They do if the interval of their paired difference excludes 0: the share of resamples in which the
    difference is 0 or has the other sign is below the level of a limit.
    """
    entries, resamples = values.shape
    different = np.zeros((entries, entries), dtype=bool)
    if patients < MIN_PATIENTS:
        return different
    most = levels(patients)[0] * resamples
    for row, value in enumerate(values):
        others = values[row + 1 :]
        below, above = (others <= value).sum(axis=1), (others >= value).sum(axis=1)
        different[row, row + 1 :] = np.minimum(below, above) < most
    return different | different.T
