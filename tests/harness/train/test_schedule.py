"""The learning rate as closed forms."""

import math

import pytest

from harness.train.schedule import learning_rate


def test_one_cycle_climbs_to_its_peak_at_a_quarter_and_ends_near_zero() -> None:
    rates = [learning_rate("one-cycle", 2.0, step, 1000) for step in range(1000)]
    assert rates[0] == pytest.approx(0.04 * 2.0)
    assert max(rates) == rates[250] == pytest.approx(2.0)
    assert rates[625] == pytest.approx(1.0, rel=1e-9)
    assert rates[-1] < 1e-4
    assert rates[:251] == sorted(rates[:251])
    assert rates[250:] == sorted(rates[250:], reverse=True)


def test_cosine_and_constant() -> None:
    assert learning_rate("cosine", 1.0, 25, 100) == pytest.approx((1 + math.cos(math.pi / 4)) / 2)
    assert learning_rate("constant", 0.3, 99, 100) == 0.3
