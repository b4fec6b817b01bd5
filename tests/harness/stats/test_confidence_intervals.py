"""Limits of intervals: against closed forms, and how often they hold what they should."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.stats.bootstrap import divide_counted, patient_weights, weighted_sums
from harness.stats.confidence_intervals import (
    MIN_PATIENTS,
    intervals,
    levels,
    rank_intervals,
    significantly_different,
)

MANY = 10**6
"""So many patients that levels are those of plain percentiles."""


def ahead(*counts, samples=1000):
    """Figures of entries: the k-th is behind the one before in so many resamples, else before it."""
    rows = [np.zeros(samples)]
    for count in counts:
        rows.append(rows[-1] + np.where(np.arange(samples) < count, 1.0, -1.0))
    return np.array(rows)


@pytest.mark.parametrize(("patients", "z"), [(6, 2.8159), (10, 2.3845), (20, 2.1474), (MANY, 1.9600)])
def test_levels_are_those_of_hesterbergs_table(patients, z):
    """√(n/(n-1)) · t(0.975, n-1), with t = 2.5706, 2.2622, 2.0930 of a printed table for df 5, 9, 19."""
    low, high = levels(patients)
    assert low == pytest.approx(0.5 * math.erfc(z / math.sqrt(2)), rel=1e-3)
    assert high == 1 - low


@pytest.mark.parametrize(
    ("patients", "least", "plain"), [(6, 0.91, 0.88), (10, 0.93, 0.91), (50, 0.935, 0.96)]
)
def test_intervals_hold_the_true_mean_19_times_in_20(patients, least, plain):
    """Plain percentiles hold it in 85 % at 6 patients, 89 % at 10. 2,000 normal samples: ± 1 % (2 sd).

    At 6 the outermost means of a thousand samples end a little before the t interval does: 92 %.
    """
    values = np.random.default_rng(patients).normal(size=(patients, 2000))
    sums = weighted_sums(patient_weights(patients, 1000), values)
    limits = intervals(*divide_counted(sums, np.full_like(sums, patients)), patients)
    narrow = intervals(*divide_counted(sums, np.full_like(sums, patients)), MANY)
    held, before = (((low <= 0) & (high >= 0)).mean() for low, high in (limits.T, narrow.T))
    assert least <= held <= 0.965
    assert before < min(held, plain)


def test_each_mean_has_the_level_of_its_own_patients():
    samples = np.random.default_rng(0).normal(size=(2, 1000))
    found = intervals(samples, np.ones_like(samples, dtype=bool), np.array([8, 150]))
    for row, patients in enumerate((8, 150)):
        assert found[row] == pytest.approx(np.quantile(samples[row], levels(patients)))
    none = intervals(samples, np.ones_like(samples, dtype=bool), np.array([MIN_PATIENTS - 1, 150]))
    assert np.isnan(none[0]).all()
    assert (none[1] == found[1]).all()


def test_rank_limits_are_ranks_that_occurred():
    ranks = np.array([[1] * 960 + [2] * 40, [2] * 960 + [1] * 40, [3] * 1000])
    assert rank_intervals(ranks, MANY) == [(1, 2), (1, 2), (3, 3)]
    assert rank_intervals(ranks[:, :980], MANY) == [(1, 1), (2, 2), (3, 3)]


def test_few_patients_rank_nothing():
    ranks = np.repeat([[1], [2], [3]], 1000, axis=1)
    assert rank_intervals(ranks, MIN_PATIENTS - 1) == [(1, 3)] * 3
    assert rank_intervals(ranks, MIN_PATIENTS) == [(1, 1), (2, 2), (3, 3)]
    assert not significantly_different(ranks, MIN_PATIENTS - 1).any()
    assert significantly_different(ranks, MIN_PATIENTS).sum() == 6


def test_entries_are_apart_where_the_interval_of_their_difference_excludes_zero():
    """Behind in 980 of 1,000 resamples is apart, in 970 not; at 20 patients neither is (level 0.016)."""
    assert significantly_different(ahead(980), MANY).tolist() == [[False, True], [True, False]]
    assert not significantly_different(ahead(970), MANY).any()
    assert not significantly_different(ahead(980), 20).any()
    assert significantly_different(-ahead(980), MANY)[0, 1]
    assert not significantly_different(np.zeros((2, 1000)), MANY).any()


def test_equal_samples_have_an_interval_of_no_width():
    samples = np.ones((1, 1000))
    assert intervals(samples, samples > 0, 10).tolist() == [[1.0, 1.0]]
