"""Ranks as sports tables have them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from harness.errors import ConfigError
from harness.stats.ranking import competition_ranks, rank


def test_ties_share_a_rank_and_the_next_is_skipped():
    values = {"a": 0.9, "b": 0.9, "c": 0.8, "d": 0.95}
    assert competition_ranks(values, higher_is_better=True) == {"d": 1, "a": 2, "b": 2, "c": 4}
    assert competition_ranks({"a": 1.0, "b": 1.0, "c": 2.0}, higher_is_better=False) == {
        "a": 1,
        "b": 1,
        "c": 3,
    }


def test_rounding_noise_is_a_tie():
    assert competition_ranks({"a": 0.1 + 0.2, "b": 0.3}, higher_is_better=True) == {"a": 1, "b": 1}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12))
def test_ranks_agree_with_scipy(values):
    expected = rankdata(values, method="min")
    got = competition_ranks(dict(enumerate(map(float, values))), higher_is_better=False)
    assert [got[i] for i in range(len(values))] == list(expected)


def test_overall_rank_is_by_the_mean_of_the_metrics_ranks():
    """dice ranks a 1, b 2, c 3; hd ranks c 1, b 2, a 3: all tie at 2."""
    means = {"a": {"dice": 0.9, "hd": 12.0}, "b": {"dice": 0.8, "hd": 11.0}, "c": {"dice": 0.7, "hd": 10.0}}
    standings = rank(means, ["dice", "hd"])
    assert {key: s.mean_rank for key, s in standings.items()} == {"a": 2.0, "b": 2.0, "c": 2.0}
    assert {key: s.rank for key, s in standings.items()} == {"a": 1, "b": 1, "c": 1}
    assert standings["a"].metric_ranks == {"dice": 1, "hd": 3}
    assert {key: s.rank for key, s in rank(means, ["hd"]).items()} == {"a": 3, "b": 2, "c": 1}


def test_a_metric_without_a_better_direction_cannot_rank():
    with pytest.raises(ConfigError, match="no better direction"):
        rank({"a": {"volume": 120.0}}, ["volume"])
