"""Paired differences on arrays, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.differences import PairedScores
from harness.stats.seeds import seed_shifts, seed_weights

KEY = ("dice", "LV", "ED")


def test_a_patient_without_a_value_is_in_no_seeds_mean():
    """Six patients alike and a seventh without a value in B: B's seeds lie at 0.6 and 0.8, A's at 0.5."""
    values = np.array([[[0.5], [0.7]]] * 6 + [[[0.5], [np.nan]]])
    seeds_b = np.array([[[0.6, 0.8]]] * 6 + [[[0.9, 0.1]]])
    scores = PairedScores((KEY,), values, values, (np.zeros((7, 1, 0)), seeds_b))
    shifts = seed_shifts(np.array([0.6, 0.8]), seed_weights(["B"], [2], 1000)[0])
    widened = shifts.max() * 12.7062 / 4.30265  # t(0.975, 1) / t(0.975, 2): only B's seeds vary.
    low, high = scores.cell_intervals(1000)[KEY]
    assert (low, high) == (pytest.approx(0.2 - widened, rel=1e-4), pytest.approx(0.2 + widened, rel=1e-4))
