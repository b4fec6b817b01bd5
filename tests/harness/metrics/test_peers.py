"""Agreement with other libraries where their definitions coincide with ours.

MONAI and surface-distance are no dependencies: their tests run where they are installed.
"""

from __future__ import annotations

from typing import Any

import hearts
import numpy as np
import pytest
from scipy.ndimage import binary_erosion

from harness.metrics import score

SPACING_MM = (8.0, 1.25, 1.5)
NAMES = {"RV": 1, "MYO": 2, "LV": 3}


@pytest.fixture(params=range(3))
def pair(request) -> Any:
    """A reference and a prediction that stay clear of the volume's edge, where libraries differ."""
    rng = np.random.default_rng(request.param)
    reference = hearts.heart(rng, (8, 84, 96), SPACING_MM)
    prediction = hearts.predicted(rng, reference, islands=request.param)
    return tuple(np.pad(labels[:, 2:-2, 2:-2], 2) for labels in (reference, prediction))


def values(pair, metrics):
    reference, prediction = pair
    scores = score(reference, prediction, SPACING_MM, NAMES, tuple(metrics))
    return {(each.structure, each.metric): each.value for each in scores}


def test_simpleitk_has_the_same_overlap(pair):
    sitk = pytest.importorskip("SimpleITK")
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*(sitk.GetImageFromArray(labels) for labels in pair))
    found = values(pair, ("dice", "iou"))
    for name, label in NAMES.items():
        assert found[name, "dice"] == pytest.approx(overlap.GetDiceCoefficient(label), rel=1e-12)
        assert found[name, "iou"] == pytest.approx(overlap.GetJaccardCoefficient(label), rel=1e-12)


def test_simpleitk_has_the_same_hausdorff_distance_of_borders(pair):
    """SimpleITK measures between filled masks; given the borders, its definition is MedPy's."""
    sitk = pytest.importorskip("SimpleITK")
    found = values(pair, ("hd",))
    for name, label in NAMES.items():
        images = []
        for labels in pair:
            mask = labels == label
            image = sitk.GetImageFromArray((mask & ~binary_erosion(mask)).astype(np.uint8))
            image.SetSpacing(SPACING_MM[::-1])
            images.append(image)
        distance = sitk.HausdorffDistanceImageFilter()
        distance.Execute(*images)
        # Its distance maps are single precision.
        assert found[name, "hd"] == pytest.approx(distance.GetHausdorffDistance(), rel=1e-5, abs=1e-5)


def test_monai_has_the_same_distances(pair):
    """MONAI's HD95 is the larger of the directed percentiles; its surface Dice counts voxels."""
    monai = pytest.importorskip("monai.metrics")
    torch = pytest.importorskip("torch")
    reference, prediction = (
        torch.as_tensor(np.stack([labels == label for label in (0, *NAMES.values())])[None].astype(np.uint8))
        for labels in pair
    )
    spacing = list(SPACING_MM)
    by_monai = {
        "hd": monai.compute_hausdorff_distance(prediction, reference, spacing=spacing),
        "hd95-directed": monai.compute_hausdorff_distance(
            prediction, reference, percentile=95, spacing=spacing
        ),
        "assd": monai.compute_average_surface_distance(
            prediction, reference, symmetric=True, spacing=spacing
        ),
        "nsd@2mm": monai.compute_surface_dice(
            prediction, reference, class_thresholds=[2.0] * 3, spacing=spacing
        ),
    }
    found = values(pair, by_monai)
    for metric, expected in by_monai.items():
        for number, name in enumerate(NAMES):
            assert found[name, metric] == pytest.approx(float(expected[0, number]), rel=1e-5, abs=1e-5)


def test_surface_distance_has_the_same_dice(pair):
    peer = pytest.importorskip("surface_distance")
    found = values(pair, ("dice",))
    for name, label in NAMES.items():
        expected = peer.compute_dice_coefficient(*(labels == label for labels in pair))
        assert found[name, "dice"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("axis", "steps"), [(0, 2), (1, 5), (2, 4)])
def test_surface_distance_has_the_same_hausdorff_distance_of_a_shift(axis, steps):
    """Its surface lies between voxels, so that only shifted copies have the same distances as ours."""
    peer = pytest.importorskip("surface_distance")
    reference = np.zeros((14, 40, 40), bool)
    reference[3:8, 8:22, 8:22] = True
    prediction = np.roll(reference, steps, axis)
    distances = peer.compute_surface_distances(reference, prediction, SPACING_MM)
    (found,) = score(reference, prediction, SPACING_MM, {"LV": 1}, ("hd",))
    assert found.value == pytest.approx(peer.compute_robust_hausdorff(distances, 100), rel=1e-12)
