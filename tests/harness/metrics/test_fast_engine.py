"""Parts of the fast engine, against NumPy."""

from __future__ import annotations

import numpy as np

from harness.metrics.fast_engine import percentile_95


def test_the_percentile_is_numpys_to_the_last_bit():
    """It rounds differently if interpolated from the other end."""
    rng = np.random.default_rng(0)
    for n in range(1, 200):
        values = rng.exponential(10, n)
        assert percentile_95(values) == np.percentile(values, 95)
