"""Paired Wilcoxon signed-rank tests between entries, with Holm's correction.

The tests are those of challengeR: one-sided, over patients, without zero differences; all ordered pairs of
entries form one family per metric. In the table of significance, p is exact for up to 50 patients without a
tie or a zero difference, and otherwise from the normal approximation with corrections for ties and
continuity, as in R's `wilcox.test`; for few patients, no approximate p would survive Holm's correction.
`test-then-rank` uses the approximation throughout, for the observed patients as for the resamples, in
which patients are tied: with two different tests, a rank could lie outside its own interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.stats.arrays import DECIMALS, Array

ALPHA = 0.05

MOST_EXACT = 50
"""The largest number of patients for which p is exact; beyond, the approximation is good."""

MIN_NONZERO = 6
"""With fewer non-zero differences the two-sided test can't get below p = 0.05 (2 / 2^5 = 0.0625)."""

_BLOCK = 250
"""Resamples that are tested together: with 150 patients, so many fit into a core's cache."""


def p_values(values: Array, *, higher_is_better: bool) -> Array:
    """One-sided p (entries × entries) that the row is better than the column, NaN on the diagonal.

    `values` are patients × entries. A patient without a value (NaN) in one of a pair is left out
    of the pair's test. p is 1 where no patient differs, and not corrected for multiple tests.
    """
    from scipy.stats import wilcoxon

    oriented = values if higher_is_better else -values
    n = oriented.shape[1]
    p = np.full((n, n), np.nan)
    for row in range(n):
        others = np.array([column for column in range(n) if column != row], dtype=int)
        differences = np.round(oriented[:, [row]] - oriented[:, others], DECIMALS)
        differ = (np.nan_to_num(differences) != 0).any(axis=0)
        exact = np.array([_has_exact_p(column) for column in differences.T], dtype=bool)
        p[row, others] = 1.0
        pairs_by_method: tuple[tuple[Literal["exact", "approx"], NDArray[np.bool_]], ...]
        pairs_by_method = (("exact", exact), ("approx", differ & ~exact))
        for method, pairs in pairs_by_method:
            if pairs.any():
                tested = wilcoxon(
                    differences[:, pairs],
                    axis=0,
                    alternative="greater",
                    method=method,
                    correction=True,
                    nan_policy="omit",
                )
                p[row, others[pairs]] = tested.pvalue
    return p


def two_sided_p(differences: Sequence[float]) -> float | None:
    """SciPy's two-sided Wilcoxon signed-rank p of paired differences, zero differences left out.

    None with fewer than `MIN_NONZERO` non-zero differences.
    """
    nonzero = [difference for difference in differences if difference != 0]
    if len(nonzero) < MIN_NONZERO:
        return None
    from scipy.stats import wilcoxon

    p = float(wilcoxon(nonzero, alternative="two-sided").pvalue)
    return p if math.isfinite(p) else None


def smallest_corrected_p(patients: int, entries: int) -> float:
    """The smallest p, after Holm's correction, that an entry can reach by being better in every patient.

    The exact p is 0.5^n: one of 2^n equally likely patterns of signs is as extreme. Holm's first factor
    is the number of ordered pairs. Beyond `MOST_EXACT` patients the result is taken as 0.
    """
    if patients > MOST_EXACT:
        return 0.0
    return min(1.0, entries * (entries - 1) * 0.5**patients)


def _has_exact_p(differences: Array) -> bool:
    known = np.abs(differences[~np.isnan(differences)])
    few = 0 < len(known) <= MOST_EXACT
    return few and bool(known.all()) and len(np.unique(known)) == len(known)


def resampled_p_values(values: Array, weights: Array, *, higher_is_better: bool) -> Array:
    """`p_values` in each resample: entries × entries × resamples.

    `weights` (resamples × patients) says how often each patient was drawn. p is always approximate:
    patients drawn twice are ties, for which there is no exact distribution.
    """
    from scipy.special import ndtr

    oriented = values if higher_is_better else -values
    n = oriented.shape[1]
    p = np.full((n, n, len(weights)), np.nan)
    for first in range(0, len(weights), _BLOCK):
        block = slice(first, first + _BLOCK)
        times = np.ascontiguousarray(weights[block].T)
        for i in range(n):
            for j in range(i + 1, n):
                excess, spread = _signed_ranks(np.round(oriented[:, i] - oriented[:, j], DECIMALS), times)
                for row, column, above in ((i, j, excess), (j, i, -excess)):
                    with np.errstate(divide="ignore", invalid="ignore"):
                        z = (above - 0.5) / spread
                    p[row, column, block] = np.where(spread > 0, ndtr(-z), 1.0)
    return p


def holm(p: Array) -> Array:
    """Holm's step-down correction (Scand J Statist 1979) of p values along the first axis."""
    m = len(p)
    order = np.argsort(p, axis=0, kind="stable")
    factors = np.arange(m, 0, -1.0).reshape(m, *[1] * (p.ndim - 1))
    stepped = np.maximum.accumulate(factors * np.take_along_axis(p, order, 0), axis=0)
    corrected = np.empty_like(p)
    np.put_along_axis(corrected, order, np.minimum(stepped, 1.0), 0)
    return corrected


def holm_corrected(p: Array) -> Array:
    """p values (entries × entries, or × resamples) after Holm's correction over all ordered pairs."""
    corrected = p.copy()
    pairs = ~np.eye(len(p), dtype=bool)
    corrected[pairs] = holm(p[pairs])
    return corrected


def significant_wins(p: Array) -> NDArray[np.int64]:
    """The number of entries that each one is significantly better than, from corrected p values."""
    wins: NDArray[np.int64] = np.sum(np.nan_to_num(p, nan=1.0) <= ALPHA, axis=1)
    return wins


def _signed_ranks(differences: Array, times: Array) -> tuple[Array, Array]:
    """For each resample, the sum of positive ranks minus its expectation, and its standard deviation.

    `times` (patients × resamples) is how often each patient was drawn. Of n differences in groups of t
    ties, the sum has the mean n(n+1)/4 and the variance n(n+1)(2n+1)/24 − Σ(t³−t)/48 (Hollander & Wolfe,
    Nonparametric Statistical Methods, section 3.1).
    """
    kept = np.flatnonzero(np.isfinite(differences) & (differences != 0))
    kept = kept[np.argsort(np.abs(differences[kept]), kind="stable")]
    if not len(kept):
        return np.zeros(times.shape[1]), np.zeros(times.shape[1])
    size = np.abs(differences[kept])
    ties = np.flatnonzero(np.concatenate(([True], size[1:] != size[:-1])))
    drawn = times[kept]
    positive = drawn * (differences[kept] > 0)[:, None]
    t = drawn
    if len(ties) < len(kept):
        t, positive = np.add.reduceat(drawn, ties), np.add.reduceat(positive, ties)
    upto = np.cumsum(t, axis=0)
    n = upto[-1]
    variance = n * (n + 1) * (2 * n + 1) / 24 - (np.einsum("gb,gb,gb->b", t, t, t) - n) / 48
    # The mean rank of a group of t ties is the number of smaller differences plus (t + 1) / 2.
    above = np.einsum("gb,gb->b", upto - t / 2 + 0.5, positive) - n * (n + 1) / 4
    return above, np.sqrt(np.maximum(variance, 0.0))
