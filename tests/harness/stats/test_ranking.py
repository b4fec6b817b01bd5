"""Competition ranks, as in sports tables."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from harness.stats.ranking import competition_ranks, rank_by_metrics


def ranks(*values, higher_is_better):
    return competition_ranks(np.array(values), higher_is_better=higher_is_better).tolist()


def test_ties_share_a_rank_and_the_next_is_skipped():
    assert ranks(0.9, 0.9, 0.8, 0.95, higher_is_better=True) == [2, 2, 4, 1]
    assert ranks(1.0, 1.0, 2.0, higher_is_better=False) == [1, 1, 3]


def test_rounding_noise_is_a_tie():
    """0.1 + 0.2 and 0.3 differ by 5.6e-17; a difference of 1e-12 is one."""
    assert ranks(0.1 + 0.2, 0.3, higher_is_better=True) == [1, 1]
    assert ranks(0.300000000001, 0.3, higher_is_better=True) == [1, 2]
    assert ranks(0.3000000000001, 0.3, higher_is_better=True) == [1, 1]


def test_nan_ranks_last_in_either_direction():
    assert ranks(np.nan, 0.5, 0.7, np.nan, higher_is_better=True) == [3, 2, 1, 3]
    assert ranks(np.nan, 0.5, 0.7, np.nan, higher_is_better=False) == [3, 1, 2, 3]


@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=6))
def test_ranks_are_along_the_first_axis(rows):
    values = np.array(rows, dtype=float)
    for higher, oriented in ((False, values), (True, -values)):
        expected = np.stack([rankdata(column, method="min") for column in oriented.T], axis=-1)
        assert (competition_ranks(values, higher_is_better=higher) == expected).all()


def test_overall_rank_is_by_the_mean_of_the_metrics_ranks():
    """dice ranks a 1, b 2, c 3; hd ranks c 1, b 2, a 3: all tie at 2."""
    means = {"a": {"dice": 0.9, "hd": 12.0}, "b": {"dice": 0.8, "hd": 11.0}, "c": {"dice": 0.7, "hd": 10.0}}
    both = rank_by_metrics(means, {"dice": True, "hd": False})
    assert {key: ranks.mean_rank for key, ranks in both.items()} == {"a": 2.0, "b": 2.0, "c": 2.0}
    assert {key: ranks.rank for key, ranks in both.items()} == {"a": 1, "b": 1, "c": 1}
    assert both["a"].metric_ranks == {"dice": 1, "hd": 3}
    by_hd = rank_by_metrics(means, {"hd": False})
    assert {key: ranks.rank for key, ranks in by_hd.items()} == {"a": 3, "b": 2, "c": 1}
    assert rank_by_metrics({}, {"dice": True}) == {}
