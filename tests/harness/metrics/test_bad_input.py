"""Arrays, spacing and names that don't fit: one clear line, never a wrong score."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.errors import ConfigError, DataError
from harness.metrics import score

GOOD = np.ones((3, 4, 5), np.uint8)
MM = (10.0, 1.5, 1.5)


@pytest.mark.parametrize(
    ("reference", "prediction", "spacing_mm", "says"),
    [
        (GOOD, GOOD[:2], MM, r"shapes differ: reference \(3, 4, 5\), prediction \(2, 4, 5\)"),
        (GOOD, GOOD[0], MM, "shapes differ"),
        (GOOD, GOOD, (1.5, 1.5), r"spacing is \(1.5, 1.5\)\. Give \(z, y, x\) in mm"),
        (GOOD[0], GOOD[0], MM, r"Give \(y, x\) in mm"),
        (GOOD, GOOD, (10.0, 0.0, 1.5), "above 0"),
        (GOOD, GOOD, (10.0, -1.5, 1.5), "above 0"),
        (GOOD, GOOD, (10.0, np.nan, 1.5), "above 0"),
        (GOOD, GOOD, (10.0, np.inf, 1.5), "above 0"),
        (GOOD, GOOD, None, "spacing is None"),
        (GOOD, GOOD, ("a", "b", "c"), "spacing is"),
        (GOOD.astype(float), GOOD, MM, "reference holds float64, not integers"),
        (GOOD, GOOD.astype(np.float32), MM, "prediction holds float32"),
        (GOOD, GOOD.astype(complex), MM, "prediction holds complex128"),
        (GOOD[0, 0], GOOD[0, 0], (1.0,), r"reference has the shape \(5,\)"),
        (GOOD[None], GOOD[None], (1.0, *MM), r"shape \(1, 3, 4, 5\)\. Give \(z, y, x\) or \(y, x\)"),
        (GOOD[:0], GOOD[:0], MM, r"shape \(0, 4, 5\)"),
    ],
)
def test_data_that_can_not_be_scored(reference, prediction, spacing_mm, says):
    with pytest.raises(DataError, match=says) as caught:
        score(reference, prediction, spacing_mm, {"LV": 1})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"metrics": ("dice", "hd59")}, "no metric 'hd59'. Did you mean 'hd95'"),
        ({"metrics": "dice"}, r"metrics is the string 'dice'. Write \('dice',\)"),
        ({"engine": "medpi"}, "no scoring engine 'medpi'. Did you mean 'medpy'"),
        ({"structures": {"LV": 0}}, "0 is the background"),
        ({"structures": {"LV": 1.5}}, "structure 'LV' has the label 1.5"),
        ({"structures": {"LV": "1"}}, "Use an integer"),
    ],
)
def test_settings_that_mean_nothing(arguments, says):
    with pytest.raises(ConfigError, match=says):
        score(GOOD, GOOD, MM, **{"structures": {"LV": 1}, **arguments})


def test_lists_and_numpy_numbers_are_fine():
    maps: list[Any] = [[[1, 1], [0, 1]], [[1, 1], [0, 0]]]
    spacing_mm: Any = np.array([1.5, 1.5])
    label: Any = np.int64(1)
    found = score(maps[0], maps[1], spacing_mm, {"LV": label}, ["dice"])
    assert found[0].value == 0.8


def test_nothing_asked_is_nothing_answered():
    assert score(GOOD, GOOD, MM, {}) == []
    assert score(GOOD, GOOD, MM, {"LV": 1}, ()) == []


def test_the_arrays_are_left_as_they_were():
    rng = np.random.default_rng(0)
    maps = rng.integers(0, 4, (2, 5, 20, 20)).astype(np.uint8)
    before = maps.copy()
    maps.setflags(write=False)
    score(maps[0], maps[1], MM, {"RV": 1, "LV": 3})
    np.testing.assert_array_equal(maps, before)
