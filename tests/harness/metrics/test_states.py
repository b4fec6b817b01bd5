"""A structure that is missing: states instead of NaN, penalties that never pay."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from harness.errors import ConfigError
from harness.metrics import EmptyPolicy, Score, score

SHAPE, SPACING_MM = (4, 30, 20), (10.0, 1.5, 2.0)
DIAGONAL_MM = math.sqrt(40**2 + 45**2 + 40**2)
OVERLAPS, DISTANCES = ("dice", "iou", "nsd@2mm"), ("hd", "hd95", "hd95-directed", "assd")


def scored(reference, prediction, metrics, **other):
    return score(reference, prediction, SPACING_MM, {"LV": 3}, metrics, **other)


@pytest.fixture
def nothing():
    return np.zeros(SHAPE, np.uint8)


@pytest.fixture
def something():
    labels = np.zeros(SHAPE, np.uint8)
    labels[1:3, 10:20, 5:15] = 3
    return labels


@pytest.mark.parametrize("engine", ["fast", "medpy"])
def test_neither_side_has_it(nothing, engine):
    for found in scored(nothing, nothing, OVERLAPS + DISTANCES, engine=engine):
        assert (found.value, found.state) == (None, "both-empty")


@pytest.mark.parametrize("engine", ["fast", "medpy"])
@pytest.mark.parametrize("missing", ["prediction", "reference"])
def test_one_side_lacks_it(nothing, something, engine, missing):
    maps = (something, nothing) if missing == "prediction" else (nothing, something)
    for found in scored(*maps, OVERLAPS, engine=engine):
        assert (found.value, found.state) == (0.0, f"{missing}-empty")
    for found in scored(*maps, DISTANCES, engine=engine):
        assert (found.value, found.state) == (pytest.approx(DIAGONAL_MM), f"{missing}-empty")


def test_volumes_always_have_a_value(nothing, something):
    """No penalty is put in their place: 0 mL is what was found."""
    millilitres = 2 * 10 * 10 * 30 / 1000
    for maps, volume, error in (
        ((nothing, nothing), 0, 0),
        ((something, nothing), 0, -millilitres),
        ((nothing, something), millilitres, millilitres),
    ):
        expected: list[Any] = [pytest.approx(volume), pytest.approx(error)]
        assert scored(*maps, ("volume", "volume-error")) == [
            Score("LV", "volume", expected[0], "mL", "ok"),
            Score("LV", "volume-error", expected[1], "mL", "ok"),
        ]


def test_the_state_is_each_structures_own(something):
    """A structure that is missing must not take its neighbours' scores along."""
    reference = something.copy()
    reference[0, 0, :5] = 1
    found = score(reference, something, SPACING_MM, {"RV": 1, "MYO": 2, "LV": 3}, ("dice", "hd"))
    assert [(each.structure, each.state) for each in found] == [
        ("RV", "prediction-empty"),
        ("RV", "prediction-empty"),
        ("MYO", "both-empty"),
        ("MYO", "both-empty"),
        ("LV", "ok"),
        ("LV", "ok"),
    ]


def test_both_empty_may_count_as_a_match(nothing, something):
    policy = EmptyPolicy(both_empty="perfect")
    for found in scored(nothing, nothing, OVERLAPS, empty=policy):
        assert (found.value, found.state) == (1.0, "ok")
    for found in scored(nothing, nothing, DISTANCES, empty=policy):
        assert (found.value, found.state) == (0.0, "ok")
    assert scored(something, nothing, ("dice",), empty=policy)[0].state == "prediction-empty"


@pytest.mark.parametrize(("number", "charged"), [(500, 500.0), (10, DIAGONAL_MM)])
def test_a_penalty_in_mm_is_never_less_than_the_diagonal(nothing, something, number, charged):
    """Were it less, a model would gain by leaving out a structure that it finds badly."""
    policy = EmptyPolicy(one_empty_distance=number)
    assert scored(something, nothing, ("hd",), empty=policy)[0].value == pytest.approx(charged)


@pytest.mark.parametrize(
    "wrong",
    [
        {"one_empty_distance": 0},
        {"one_empty_distance": -3.0},
        {"one_empty_distance": math.nan},
        {"one_empty_distance": math.inf},
        {"one_empty_distance": True},
        {"one_empty_distance": "diagnal"},
        {"both_empty": "ignore"},
    ],
)
def test_a_policy_that_means_nothing_is_refused(wrong):
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))} is"):
        EmptyPolicy(**wrong)
