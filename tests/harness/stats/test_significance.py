"""Paired tests and Holm's correction, against scipy and R's documented results."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wilcoxon

from harness.stats.bootstrap import patient_weights
from harness.stats.significance import (
    holm,
    holm_corrected,
    p_values,
    resampled_p_values,
    significant_wins,
    smallest_corrected_p,
)


def theirs(differences, method="exact"):
    return wilcoxon(differences, alternative="greater", method=method, correction=True).pvalue


def values(patients=30, entries=4, digits=15):
    rng = np.random.default_rng(5)
    return np.round(rng.normal(0.8, 0.05, (patients, entries)) + np.linspace(0, 0.03, entries), digits)


@pytest.mark.parametrize(
    ("patients", "digits", "method"), [(30, 15, "exact"), (30, 2, "asymptotic"), (51, 15, "asymptotic")]
)
def test_p_is_scipys_for_each_ordered_pair(patients, digits, method):
    """With two digits there are ties and zero differences."""
    table = values(patients, digits=digits)
    p = p_values(table, higher_is_better=True)
    for i in range(4):
        for j in range(4):
            if i != j:
                assert p[i, j] == pytest.approx(theirs(np.round(table[:, i] - table[:, j], 12), method))
    assert np.isnan(np.diag(p)).all()


def test_smaller_is_better_for_distances():
    table = values()
    assert p_values(table, higher_is_better=False) == pytest.approx(
        p_values(table, higher_is_better=True).T, nan_ok=True
    )


def test_missing_values_leave_their_pair_out():
    table = values()
    table[3, 1] = np.nan
    p = p_values(table, higher_is_better=True)
    kept = np.delete(table, 3, axis=0)
    assert p[0, 1] == pytest.approx(theirs(kept[:, 0] - kept[:, 1]))
    assert p[0, 2] == pytest.approx(theirs(table[:, 0] - table[:, 2]))


def test_ten_patients_can_be_significant_among_six_entries():
    """Better in all of ten: exactly 1 / 2^10; times 30 ordered pairs 0.029. The approximation has 0.0029."""
    hard = np.linspace(0.5, 0.7, 10)[:, None] * np.ones((1, 6))
    lead = np.linspace(0.1, 0.2, 10)[:, None] * np.arange(6)
    p = p_values(hard + lead, higher_is_better=True)
    assert p[5, 0] == pytest.approx(2**-10)
    assert holm_corrected(p)[5, 0] == pytest.approx(30 / 1024) == pytest.approx(smallest_corrected_p(10, 6))
    assert significant_wins(holm_corrected(p)).tolist() == [0, 1, 2, 3, 4, 5]


def test_where_no_pair_can_be_significant_is_known_beforehand():
    """Sixteen entries have 240 ordered pairs: 240 / 2^10 = 0.234 at ten patients, 0.0073 at fifteen."""
    assert smallest_corrected_p(10, 16) == pytest.approx(0.234375)
    assert smallest_corrected_p(15, 16) == pytest.approx(0.00732421875)
    assert smallest_corrected_p(2, 16) == 1.0
    assert smallest_corrected_p(150, 50) == 0.0


def test_equal_entries_are_not_better_than_each_other():
    table = np.repeat(values(entries=1), 3, axis=1)
    p = p_values(table, higher_is_better=True)
    assert (p[~np.eye(3, dtype=bool)] == 1.0).all()
    assert significant_wins(holm_corrected(p)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("digits", [15, 2])
def test_a_patient_that_was_drawn_twice_counts_twice(digits):
    table = values(digits=digits)
    weight = patient_weights(30, 15)
    p = resampled_p_values(table, weight, higher_is_better=True)
    for b, row in enumerate(weight.astype(int)):
        drawn = table[np.repeat(np.arange(30), row)]
        assert p[:, :, b] == pytest.approx(p_values(drawn, higher_is_better=True), nan_ok=True)


def test_resamples_without_any_difference_have_no_winner():
    table = np.full((4, 2), 0.5)
    table[0, 0] = 0.9
    weight = np.array([[0.0, 2.0, 1.0, 1.0]])
    assert resampled_p_values(table, weight, higher_is_better=True)[0, 1, 0] == 1.0


def test_holm_is_rs():
    """p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02."""
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0])


def test_holm_runs_over_all_ordered_pairs():
    p = np.full((3, 3), np.nan)
    p[~np.eye(3, dtype=bool)] = [0.001, 0.02, 0.999, 0.005, 0.98, 0.995]
    done = holm_corrected(p)
    assert done[0, 1] == pytest.approx(6 * 0.001)
    assert done[1, 2] == pytest.approx(5 * 0.005)
    assert done[0, 2] == pytest.approx(4 * 0.02)
    assert significant_wins(done).tolist() == [1, 1, 0]


def test_one_patient_has_an_exact_p():
    """One of two signs is as extreme: 1/2 for the better entry; and 1 for the worse, as both are."""
    p = p_values(np.array([[0.9, 0.8]]), higher_is_better=True)
    assert (p[0, 1], p[1, 0]) == (0.5, 1.0)
