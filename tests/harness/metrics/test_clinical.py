"""Clinical indices and their agreement, against values computed by hand."""

from __future__ import annotations

import math

import pytest

from harness.errors import DataError
from harness.metrics.clinical import UNITS, Agreement, agreement, indices, worst_fraction

VOLUMES = {
    ("LV", "ED"): 120.0,
    ("LV", "ES"): 48.0,
    ("RV", "ED"): 150.0,
    ("RV", "ES"): 90.0,
    ("MYO", "ED"): 100.0,
    ("MYO", "ES"): 104.0,
}


def test_indices_of_a_heart():
    """(120 − 48) / 120 = 60 %; (150 − 90) / 150 = 40 %; 100 mL of muscle at ED weigh 105 g."""
    assert indices(VOLUMES) == {
        "lv-edv": 120.0,
        "lv-esv": 48.0,
        "lv-ef": pytest.approx(60.0),
        "rv-edv": 150.0,
        "rv-esv": 90.0,
        "rv-ef": pytest.approx(40.0),
        "myo-mass": pytest.approx(105.0),
    }
    assert list(indices(VOLUMES)) == list(UNITS)


def test_a_missing_phase_takes_only_what_needs_it():
    found = indices({key: ml for key, ml in VOLUMES.items() if key != ("LV", "ES")})
    assert [name for name, value in found.items() if value is None] == ["lv-esv", "lv-ef"]


def test_an_empty_ventricle_at_ed_has_no_ejection_fraction():
    """A model that misses the ventricle must not end the report with a division by zero."""
    found = indices({**VOLUMES, ("RV", "ED"): 0.0})
    assert found["rv-edv"] == 0.0
    assert found["rv-ef"] is None


def test_a_ventricle_that_grows_has_a_negative_ejection_fraction():
    assert indices({**VOLUMES, ("LV", "ES"): 150.0})["lv-ef"] == pytest.approx(-25.0)


def test_agreement_by_hand():
    """Differences 2, 4, 0, −2: bias 1, sum of squares about it 20, sd √(20/3), absolute mean 2.

    Deviations of the reference −15, −5, 5, 15 and of the measured −14, −2, 4, 12 (about 26):
    r = (210 + 10 + 20 + 180) / √(500 × 360).
    """
    found = agreement([10, 20, 30, 40], [12, 24, 30, 38])
    sd = math.sqrt(20 / 3)
    assert found.n == 4
    assert found.excluded == 0
    assert found.bias == pytest.approx(1)
    assert found.sd == pytest.approx(sd)
    assert found.lower == pytest.approx(1 - 1.96 * sd)
    assert found.upper == pytest.approx(1 + 1.96 * sd)
    assert found.mae == pytest.approx(2)
    assert found.r == pytest.approx(420 / math.sqrt(500 * 360))


@pytest.mark.parametrize(("factor", "r"), [(2.0, 1.0), (-1.0, -1.0)])
def test_correlation_stays_within_one(factor, r):
    values = [0.1, 0.7, 0.2, 1 / 3]
    assert agreement(values, [factor * value for value in values]).r == pytest.approx(r)
    assert abs(agreement(values, [factor * value for value in values]).r) <= 1


def test_a_side_that_does_not_vary_has_no_correlation():
    found = agreement([0.1, 0.1, 0.1], [1.0, 2.0, 3.0])
    assert found.r is None
    assert found.bias == pytest.approx(1.9)


def test_missing_values_are_left_out_and_counted():
    found = agreement([60.0, None, 50.0, 40.0], [58.0, 30.0, None, 44.0])
    assert (found.n, found.excluded, found.bias, found.mae) == (2, 2, 1.0, 3.0)


def test_too_few_patients_for_a_spread():
    assert agreement([50.0], [53.0]) == Agreement(1, 0, None, 3.0, None, None, None, 3.0)
    assert agreement([], []) == Agreement(0, 0, None, None, None, None, None, None)
    assert agreement([None], [1.0]).excluded == 1


@pytest.mark.parametrize("wrong", [([1.0], [1.0, 2.0]), ([math.nan], [1.0]), ([1.0], [math.inf])])
def test_what_is_no_pair_of_numbers_is_refused(wrong):
    with pytest.raises(DataError):
        agreement(*wrong)


def test_rounding_makes_no_correlation_above_one():
    """Measured is 2.3 times the reference; Python's own correlation is 1.0000000000000002."""
    reference = [196.56, 180.4, 20.0, 179.77]
    assert agreement(reference, [452.088, 414.92, 46.0, 413.471]).r == 1.0
    assert agreement(reference, [-452.088, -414.92, -46.0, -413.471]).r == -1.0


def test_the_worst_ejection_fraction_is_the_farther_end():
    assert [worst_fraction(reference) for reference in (0.0, 40.0, 50.0, 51.0, 100.0)] == [
        100,
        100,
        100,
        0,
        0,
    ]
