"""Worsening a prediction never improves a score."""

from __future__ import annotations

import itertools

import hearts
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics import score
from harness.metrics.definitions import metric

SCORED = ("dice", "iou", "hd", "hd95", "hd95-directed", "assd", "nsd@1mm", "nsd@3mm")
SPACING_MM = (9.0, 1.5, 1.25)


def goodness(reference, prediction, metrics=SCORED):
    """Values turned so that more is better."""
    found = score(reference, prediction, SPACING_MM, {"LV": 1}, metrics)
    signs = [1 if metric(each.metric).higher_is_better else -1 for each in found]
    return [sign * each.value for sign, each in zip(signs, found, strict=True)]


def never_better(steps):
    for before, after in itertools.pairwise(steps):
        assert all(b <= a + 1e-12 for a, b in zip(before, after, strict=True)), (before, after)


SHAPE = (4, 6, 7)


@st.composite
def masks(draw):
    """Noise from hardly any voxel to nearly all, never none."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    mask = rng.random(SHAPE) < draw(st.sampled_from([0.01, 0.1, 0.5, 0.95]))
    mask[tuple(rng.integers(SHAPE))] = True
    return mask


@settings(max_examples=150, deadline=None)
@given(masks(), masks())
def test_leaving_a_structure_out_never_pays(reference, prediction):
    """However bad what was found is, finding nothing scores no better on any metric."""
    never_better([goodness(reference, prediction), goodness(reference, np.zeros_like(prediction))])


@settings(max_examples=60, deadline=None)
@given(masks())
def test_inventing_a_structure_never_pays(prediction):
    """Where the reference has none, nothing predicted is left out, anything predicted is penalised."""
    nothing = np.zeros_like(prediction)
    (best,) = (each.value for each in score(nothing, nothing, SPACING_MM, {"LV": 1}, ("dice",)))
    assert best is None
    assert goodness(nothing, prediction, ("dice",)) == [0.0]
    assert goodness(nothing, prediction, ("hd",)) == [-np.linalg.norm(np.multiply(SHAPE, SPACING_MM))]


@settings(max_examples=60, deadline=None)
@given(masks(), st.randoms(use_true_random=False))
def test_overlap_falls_with_every_voxel_made_wrong(reference, random):
    prediction, steps = reference.copy(), [[1.0, 1.0]]
    for place in random.sample(list(np.ndindex(SHAPE)), 12):
        prediction[place] = not reference[place]
        steps.append(goodness(reference, prediction, ("dice", "iou")))
    never_better(steps)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_moving_away_worsens_every_metric(axis):
    reference = np.zeros((12, 40, 40), np.uint8)
    reference[3:5, 10:18, 10:18] = 1
    never_better([goodness(reference, np.roll(reference, step, axis)) for step in range(7)])


def test_losing_slices_worsens_every_metric():
    """A heart that loses its apex slice by slice, to nothing at last."""
    reference = hearts.heart(np.random.default_rng(3), (8, 70, 70), SPACING_MM) == 3
    prediction, steps = reference.copy(), []
    for slices in range(9):
        prediction[8 - slices :] = False
        steps.append(goodness(reference, prediction, ("dice", "iou", "hd", "hd95", "assd")))
    never_better(steps)


def test_a_false_island_worsens_with_its_distance():
    reference = np.zeros((6, 60, 60), np.uint8)
    reference[1:5, 5:15, 5:15] = 1
    steps = [goodness(reference, reference)]
    for at in range(20, 58, 5):
        prediction = reference.copy()
        prediction[2, at, at] = 1
        steps.append(goodness(reference, prediction))
    never_better(steps)
