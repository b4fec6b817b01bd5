"""The sample standard deviation, by hand."""

from __future__ import annotations

import math

from harness.stats.arrays import sample_sd


def test_a_standard_deviation_needs_two_values():
    """1 and 3 deviate by 1 from their mean: √(2 / 1)."""
    assert sample_sd([1.0, 3.0]) == math.sqrt(2)
    assert sample_sd([1.0, 2.0, 3.0, 6.0]) == math.sqrt((4 + 1 + 0 + 9) / 3)
    assert sample_sd([1.0]) is None
    assert sample_sd([]) is None
