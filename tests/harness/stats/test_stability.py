"""Kendall's tau and the noise floor, by hand and against scipy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import kendalltau, t

from harness.stats.noise_floor import decimals, noise_floor
from harness.stats.stability import stability, tau


def test_tau_is_scipys_also_with_ties():
    a, b = np.array([1, 2, 2, 4, 5]), np.array([2, 1, 3, 3, 5])
    assert tau(a, b) == pytest.approx(kendalltau(a, b).statistic, abs=1e-12)
    assert tau(a, a) == 1.0
    assert tau(a, np.ones(5)) is None
    assert tau(np.ones(5), np.ones(5)) == 1.0


def test_stability_is_the_median_tau_over_resamples():
    """Of four rankings of three, two agree, one swaps neighbours (1/3), one is reversed (-1)."""
    ranks = np.array([1, 2, 3])
    resampled = np.array([[1, 2, 3], [1, 2, 3], [2, 1, 3], [3, 2, 1]]).T
    by_method: dict[Any, Any] = {"aggregate-then-rank": ranks, "test-then-rank": ranks[::-1]}
    found = stability(ranks, resampled, 10, by_method)
    assert found.tau == pytest.approx((1 + 1 / 3) / 2)
    assert found.resamples == 4
    assert -1 <= found.ci95[0] < found.ci95[1] == 1
    assert [(m.a, m.b, m.tau) for m in found.methods] == [("aggregate-then-rank", "test-then-rank", -1.0)]


def test_tau_is_never_outside_its_own_interval():
    """One resample in a hundred is reversed: the mean would be 0.98, below an interval of 1 to 1."""
    ranks = np.array([1, 2, 3])
    resampled = np.repeat(ranks[:, None], 1000, axis=1)
    resampled[:, :10] = ranks[::-1, None]
    found = stability(ranks, resampled, 100, {})
    assert (found.tau, found.ci95) == (1.0, (1.0, 1.0))


def test_the_noise_floor_by_hand():
    """Seeds at 0.80 and 0.82, and 0.70 and 0.74: s² = (2 · 0.01² + 2 · 0.02²) / 2."""
    (floor,) = noise_floor(
        [{0: {"dice": 0.80}, 1: {"dice": 0.82}}, {0: {"dice": 0.70}, 1: {"dice": 0.74}}]
    ).values()
    s = math.sqrt((2 * 0.01**2 + 2 * 0.02**2) / 2)
    assert floor.sd == pytest.approx(s)
    assert (floor.df, floor.seeds) == (2, 2)
    assert floor.difference == pytest.approx(t.ppf(0.975, 2) * s * math.sqrt(2 / 2))
    assert floor.difference == pytest.approx(4.302653 * 0.0223607, rel=1e-5)
    assert floor.decimals == 1


def test_more_seeds_resolve_more():
    rng = np.random.default_rng(3)
    few, many = (
        noise_floor([dict(enumerate({"hd": v} for v in rng.normal(10, 1, n))) for _ in range(20)])["hd"]
        for n in (2, 8)
    )
    assert many.difference < few.difference


def test_two_equal_entries_differ_by_more_than_the_floor_once_in_twenty_times():
    rng = np.random.default_rng(4)
    draws = rng.normal(size=(2000, 2, 3))
    beyond = 0
    for pair in draws:
        floor = noise_floor([{k: {"dice": v} for k, v in enumerate(entry)} for entry in pair])["dice"]
        beyond += abs(pair[0].mean() - pair[1].mean()) > floor.difference
    assert beyond / 2000 == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [(0.004, 3), (0.012, 2), (0.0096, 2), (0.3, 1), (2.4, 0), (17.0, 0), (0.0, None)],
)
def test_decimals_end_at_the_first_digit_that_is_resolved(difference, expected):
    assert decimals(difference) == expected


def test_one_seed_has_no_floor():
    assert noise_floor([{0: {"dice": 0.8}}, {0: {"dice": 0.7}}]) is None
