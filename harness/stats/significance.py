"""Which entry is significantly better than which: paired one-sided Wilcoxon tests with Holm's correction.

As challengeR tests: over patients, zero differences left out; all ordered pairs of entries are one
family per metric. In the table of significance p is exact for up to 50 patients without a tie or a zero
difference, else from the normal approximation with correction for ties and continuity, as R's
`wilcox.test` has it: in few patients the approximation would let nothing survive the correction.
`test-then-rank` takes the approximation throughout, for what was tested as for its resamples, in which
patients are tied: by two tests, a rank could lie outside its own interval.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.stats.arrays import Array

ALPHA = 0.05

MOST_EXACT = 50
"""Patients; beyond, the approximation is good."""

_DIGITS = 12
"""Differences are rounded, so that equal ones are ties to the test and not noise of the last bit."""


_AT_ONCE = 250
"""Resamples: with patients in rows, so many of 150 patients stay in a core's cache."""


def p_values(values: Array, *, higher_is_better: bool) -> Array:
    """One-sided p (entries × entries) that the row is better than the column, NaN on the diagonal.

    `values` are patients × entries; a patient without a value (NaN) in one of a pair is left out
    of its test. 1 where no patient differs. Not corrected.
    """
    from scipy.stats import wilcoxon

    oriented = values if higher_is_better else -values
    n = oriented.shape[1]
    p = np.full((n, n), np.nan)
    for row in range(n):
        others = np.array([column for column in range(n) if column != row], dtype=int)
        differences = np.round(oriented[:, [row]] - oriented[:, others], _DIGITS)
        moved = (np.nan_to_num(differences) != 0).any(axis=0)
        exact = np.array([_exact(column) for column in differences.T], dtype=bool)
        p[row, others] = 1.0
        ways: tuple[tuple[Literal["exact", "approx"], NDArray[np.bool_]], ...]
        ways = (("exact", exact), ("approx", moved & ~exact))
        for method, chosen in ways:
            if chosen.any():
                tested = wilcoxon(
                    differences[:, chosen],
                    axis=0,
                    alternative="greater",
                    method=method,
                    correction=True,
                    nan_policy="omit",
                )
                p[row, others[chosen]] = tested.pvalue
    return p


def least_p(patients: int, entries: int) -> float:
    """The smallest corrected p of any of `entries`, be it better in each of so many patients.

    Exact: of 2^n equally likely signs one is as extreme, and Holm's first factor is the number of
    ordered pairs. Beyond `MOST_EXACT` patients it is as good as 0.
    """
    if patients > MOST_EXACT:
        return 0.0
    return min(1.0, entries * (entries - 1) * 0.5**patients)


def _exact(differences: Array) -> bool:
    known = np.abs(differences[~np.isnan(differences)])
    few = 0 < len(known) <= MOST_EXACT
    return few and bool(known.all()) and len(np.unique(known)) == len(known)


def resampled_p_values(values: Array, weight: Array, *, higher_is_better: bool) -> Array:
    """The same in each resample: entries × entries × resamples. A patient counts as often as it was drawn.

    Always the approximation: patients that were drawn twice are ties, for which there is no exact table.
    """
    from scipy.special import ndtr

    oriented = values if higher_is_better else -values
    n = oriented.shape[1]
    p = np.full((n, n, len(weight)), np.nan)
    for first in range(0, len(weight), _AT_ONCE):
        block = slice(first, first + _AT_ONCE)
        times = np.ascontiguousarray(weight[block].T)
        for i in range(n):
            for j in range(i + 1, n):
                excess, spread = _signed_ranks(np.round(oriented[:, i] - oriented[:, j], _DIGITS), times)
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


def corrected(p: Array) -> Array:
    """A matrix (or, with a third axis, many) of p values after Holm's correction over all pairs."""
    done = p.copy()
    pairs = ~np.eye(len(p), dtype=bool)
    done[pairs] = holm(p[pairs])
    return done


def wins(p: Array) -> NDArray[np.int64]:
    """How many entries each one is significantly better than, from corrected p values."""
    won: NDArray[np.int64] = np.sum(np.nan_to_num(p, nan=1.0) <= ALPHA, axis=1)
    return won


def _signed_ranks(differences: Array, times: Array) -> tuple[Array, Array]:
    """By resample: the sum of positive ranks above its expectation, and its standard deviation.

    `times` (patients × resamples) is how often each patient was drawn.

    Hollander & Wolfe, Nonparametric Statistical Methods, section 3.1, with t tied differences:
    mean n(n+1)/4, variance n(n+1)(2n+1)/24 − Σ(t³−t)/48.
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
    # A tie group's mean rank is what came before it, and half of its own t + 1.
    above = np.einsum("gb,gb->b", upto - t / 2 + 0.5, positive) - n * (n + 1) / 4
    return above, np.sqrt(np.maximum(variance, 0.0))
