"""Draws of seeds: frozen, widened, and shifting a mean as another training would."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.stats.bootstrap import Resampling
from harness.stats.confidence_intervals import levels
from harness.stats.seeds import seed_shifts, seed_weights, single_entry_seed_weights, widening


def test_the_draws_never_change():
    """Tables are rebuilt byte for byte: other draws would change every interval.

    NumPy's frozen generator, seeded with 1 and the name's CRC-32, gives 2 1 2, 1 2 0, 0 2 2, 2 0 2 below 3.
    """
    drawn = seed_weights(["net + ce @ phantom"], [3], 4)[0] / (widening(3, 4) / 3)
    assert drawn.T.round(9).tolist() == [[-1, 0, 1], [0, 0, 0], [0, -1, 1], [0, -1, 1]]
    name = "net + ce @ phantom"
    assert (seed_weights(["other", name], [3, 3], 4)[1] == seed_weights([name], [3], 4)[0]).all()


def test_deviations_cancel_and_one_seed_has_none():
    drawn = seed_weights(["a", "b"], [5, 1], 200)
    assert drawn.sum(axis=1) == pytest.approx(np.zeros((2, 200)), abs=1e-12)
    assert not drawn[1].any()
    assert Resampling.draw(4, ["a", "b"], [1, 1], 10).seeds.shape == (2, 0, 10)


@pytest.mark.parametrize(("seeds", "t_table"), [(2, 4.3027), (3, 2.7764), (5, 2.3060)])
def test_the_spread_of_drawn_means_is_that_of_seeds_widened(seeds, t_table):
    """The standard error of a mean of S seeds, s / √S, times t(0.975, 2 (S - 1)) / 1.96 of printed tables."""
    means = np.random.default_rng(seeds).normal(size=seeds)
    moved = seed_shifts(means[None], seed_weights(["a"], [seeds], 40_000))
    expected = means.std(ddof=1) / math.sqrt(seeds) * t_table / 1.959964
    assert moved.std() == pytest.approx(expected, rel=0.02)


def test_equal_seeds_move_nothing():
    assert not seed_shifts(np.full((1, 3), 0.1), seed_weights(["a"], [3], 100)).any()


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_interval_of_one_mean_holds_the_truth_19_times_in_20(seeds):
    """Seeds of a standard normal, patients all alike. Widened as differences are, it held 79 % at two."""
    rng = np.random.default_rng(seeds)
    drawn = single_entry_seed_weights(seed_weights(["a"], [seeds], 1000), [seeds])[0]
    held = 0
    for means in rng.normal(size=(3000, seeds)):
        low, high = np.quantile(means.mean() + seed_shifts(means, drawn), levels(100))
        held += low <= 0 <= high
    assert 0.925 <= held / 3000 <= 0.965


@pytest.mark.parametrize(
    ("seeds", "df", "t_table"),
    [(2, 1, 12.7062), (2, 2, 4.30265), (3, 2, 4.30265), (3, 4, 2.77645), (5, 8, 2.306)],
)
def test_widening_by_a_printed_table_of_t(seeds, df, t_table):
    assert widening(seeds, df) == pytest.approx(math.sqrt(seeds / (seeds - 1)) * t_table / 1.959964, rel=1e-5)


def test_weights_for_single_entries_have_fewer_degrees_of_freedom():
    """t(0.975, 1) / t(0.975, 2) = 12.7062 / 4.30265 with two seeds; nothing to widen with one."""
    weights = seed_weights(["a", "b"], [2, 1], 50)
    single = single_entry_seed_weights(weights, [2, 1])
    assert single[0] == pytest.approx(weights[0] * 12.7062 / 4.30265, rel=1e-5)
    assert not single[1].any()
