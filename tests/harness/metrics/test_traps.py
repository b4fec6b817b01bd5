"""Mistakes that are easily made with hearts, and what they must look like in the scores."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.metrics import score

SPACING_MM = (10.0, 1.5, 1.5)


def values(reference, prediction, spacing_mm=SPACING_MM, metrics=("hd", "hd95", "hd95-directed", "dice")):
    return {each.metric: each.value for each in score(reference, prediction, spacing_mm, {"LV": 1}, metrics)}


@pytest.fixture
def cylinder():
    """Ten slices of a disc of 15 pixels."""
    y, x = np.indices((64, 64)) - 31.5
    return np.repeat((np.hypot(y, x) < 7.5)[None], 10, axis=0).astype(np.uint8)


@pytest.mark.parametrize(
    ("spacing_mm", "expected"),
    [((10.0, 1.5, 1.5), 20.0), ((1.5, 1.5, 10.0), 3.0), ((1.0, 1.0, 1.0), 2.0)],
    ids=["right", "axes swapped", "unit spacing"],
)
def test_two_missing_apical_slices_are_20_mm_and_wrong_spacing_hides_it(cylinder, spacing_mm, expected):
    prediction = cylinder.copy()
    prediction[-2:] = 0
    found = values(cylinder, prediction, spacing_mm)
    assert found["hd"] == expected
    # A tenth of the border or more is that far off, so no percentile hides it.
    assert found["hd95"] == expected


def test_one_missing_apical_slice(cylinder):
    prediction = cylinder.copy()
    prediction[-1] = 0
    assert values(cylinder, prediction)["hd"] == 10.0


def test_one_far_voxel_moves_hd_alone(cylinder):
    prediction = cylinder.copy()
    prediction[0, 31, 60] = 1
    found = values(cylinder, prediction)
    last = int(np.flatnonzero(cylinder[0, 31])[-1])
    assert found["hd"] == (60 - last) * 1.5
    assert found["hd95"] == found["hd95-directed"] == 0.0


def test_an_island_shows_in_the_directed_percentile_before_the_pooled_one(cylinder):
    """The two common definitions of HD95 differ: 4 % of both borders are 8 % of one."""
    prediction = cylinder.copy()
    prediction[2:5, 25:36, 58:60] = 1
    found = values(cylinder, prediction)
    assert found["hd95"] == 0.0
    assert found["hd95-directed"] > 20


def test_a_structure_of_one_voxel():
    reference, prediction = np.zeros((2, 8, 20, 20), np.uint8)
    reference[1, 2, 3] = 1
    prediction[3, 10, 18] = 1
    found = values(reference, prediction, metrics=("dice", "hd", "hd95", "hd95-directed", "assd"))
    expected = math.sqrt(20**2 + 12**2 + 22.5**2)
    assert found.pop("dice") == 0.0
    assert all(value == pytest.approx(expected, rel=1e-14) for value in found.values())


def test_a_slice_in_a_volume_is_not_a_slice_alone():
    """In a volume the slice has background above and below, so that all its pixels are border.

    A block of 5 × 5 against its middle 3 × 3. Alone: rings of 16 and 8 pixels, of which 4 corners are
    √2 pixels off and the others 1. In the volume: 25 and 9 pixels, of which 9 each coincide.
    """
    reference, prediction = np.zeros((2, 1, 9, 9), np.uint8)
    reference[0, 2:7, 2:7] = 1
    prediction[0, 3:6, 3:6] = 1
    volume = values(reference, prediction, metrics=("assd",))["assd"]
    alone = values(reference[0], prediction[0], (1.5, 1.5), ("assd",))["assd"]
    assert volume == pytest.approx(1.5 * (12 + 4 * math.sqrt(2)) / 34)
    assert alone == pytest.approx(1.5 * (8 + 12 + 4 * math.sqrt(2)) / 24)


def test_volumes_take_all_three_spacings(cylinder):
    found = values(cylinder, cylinder, metrics=("volume",))
    assert found["volume"] == pytest.approx(cylinder.sum() * 10 * 1.5 * 1.5 / 1000)
