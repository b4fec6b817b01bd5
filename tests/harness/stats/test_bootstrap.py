"""Weights of patients in resamples, and sums over them."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.bootstrap import (
    Resampling,
    cell_means,
    divide_counted,
    overall_means,
    patient_weights,
    rank_shares,
    weighted_sums,
)
from harness.stats.patient_scores import PatientScores, mean_over_cells


def test_each_resample_draws_as_many_patients_as_there_are():
    drawn = patient_weights(7, 50)
    assert drawn.shape == (50, 7)
    assert (drawn.sum(axis=1) == 7).all()
    assert (drawn == patient_weights(7, 50)).all()


def test_the_draws_never_change():
    """Committed leaderboards are rebuilt byte for byte: other draws would change every interval.

    NumPy's frozen generator, seeded with 0, gives 4 0 3 3 3, 1 3 2 4 0, 0 4 2 1 0 below 5.
    """
    assert patient_weights(5, 3).astype(int).tolist() == [[1, 0, 0, 3, 1], [1, 1, 1, 1, 1], [2, 1, 1, 0, 1]]


def test_sums_have_the_same_bits_in_any_order_of_patients():
    """An AVX-512 machine and another add in different orders; equal input must give equal bytes."""
    rng = np.random.default_rng(1)
    values = rng.uniform(0, 300, 150)
    weight = patient_weights(150, 40)
    order = rng.permutation(150)
    straight = weighted_sums(weight, values)
    assert (straight == weighted_sums(weight[:, order], values[order])).all()
    by_hand = [sum(w * v for w, v in zip(row, values, strict=True)) for row in weight]
    assert straight == pytest.approx(by_hand, rel=1e-11)


def test_shares_of_ranks_are_counted_over_the_resamples():
    """First, first, third, first, second in 5 resamples."""
    assert rank_shares(np.array([1.0, 1, 3, 1, 2])) == {1: 0.6, 2: 0.2, 3: 0.2}


def test_sums_have_twelve_digits_and_nothing_sums_to_zero():
    weights = np.array([[2.0, 0.0, 1.0], [1.0, 1.0, 1.0]])
    values = np.array([[0.1, 0.0], [0.7, 0.0], [123.456, 0.0]])
    assert weighted_sums(weights, values)[0] == pytest.approx([123.656, 124.256], rel=1e-12)
    assert weighted_sums(weights, values)[1].tolist() == [0.0, 0.0]
    assert weighted_sums(weights, values[:, :, None]).shape == (2, 1, 2)


def test_a_mean_of_nothing_is_zero_and_marked():
    means, has_value = divide_counted(np.array([3.0, 0.0, -2.0]), np.array([2.0, 0.0, 1.0]))
    assert means.tolist() == [1.5, 0.0, -2.0]
    assert has_value.tolist() == [True, False, True]


def scores():
    """Three patients, two entries, LV in all, RV in one; entry 1 has LV scores of two cases in p0."""
    lv, rv = ("dice", "LV", "ED"), ("dice", "RV", "ED")
    return PatientScores(
        ("p0", "p1", "p2"),
        (lv, rv),
        {
            lv: np.array([[0.9, 1.0], [0.6, 0.5], [0.3, 0.3]]),
            rv: np.array([[0.0, 0.0], [0.8, 0.7], [0.0, 0.0]]),
        },
        {
            lv: np.array([[1.0, 2.0], [1.0, 1.0], [1.0, 1.0]]),
            rv: np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]),
        },
        {lv: np.array([[0.5, 0.7], [0.4, 0.4]]), rv: np.array([[0.8, 0.8], [0.7, 0.7]])},
    )


def test_observed_means_weight_cases_and_then_cells_equally():
    """LV: 1.8 / 3 and 1.8 / 4; RV: 0.8 and 0.7."""
    means, has_value = cell_means(scores(), "dice", Resampling.observed(3, 2))
    assert means[:, :, 0] == pytest.approx(np.array([[0.6, 0.8], [0.45, 0.7]]))
    assert has_value.all()
    assert overall_means(means, has_value)[0][:, 0] == pytest.approx([0.7, 0.575])


def test_drawn_seeds_shift_the_means_of_their_entry_only():
    """Seed weights of ∓ 1/2 move LV of the first entry by (0.7 − 0.5) / 2, and only where it has a value."""
    seeds = np.array([[[-0.5], [0.5]], [[-0.5], [0.5]]])
    drawn = Resampling(np.array([[1.0, 0.0, 2.0]]), seeds, (2, 2))
    means, has_value = cell_means(scores(), "dice", drawn)
    assert means[:, 0, 0] == pytest.approx([0.5 + 0.1, 1.6 / 4])
    assert (means[:, 1, 0].tolist(), has_value[:, 1, 0].tolist()) == ([0.0, 0.0], [False, False])


def test_selected_entries_keep_their_scores_and_draws():
    selected = scores().select([1], ["dice"])
    assert selected.sums["dice", "LV", "ED"].ravel().tolist() == [1.0, 0.5, 0.3]
    assert selected.counts["dice", "LV", "ED"].ravel().tolist() == [2.0, 1.0, 1.0]
    assert selected.seed_means["dice", "LV", "ED"].tolist() == [[0.4, 0.4]]
    assert scores().select([1], ["hd"]).keys == ()
    drawn = Resampling.draw(3, ["a", "b"], [2, 3], 20)
    assert (drawn.select([1]).seeds == drawn.seeds[[1]]).all()
    assert drawn.select([1]).seed_counts == (3,)


def test_cells_without_a_value_are_left_out_of_a_mean():
    values = np.array([[0.2, np.nan, 0.6], [np.nan, np.nan, np.nan]])
    assert mean_over_cells(values) == pytest.approx([0.4, np.nan], nan_ok=True)
