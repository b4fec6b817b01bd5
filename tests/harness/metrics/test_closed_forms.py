"""Values that one can compute by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from harness.metrics import score

ALL = ("dice", "iou", "hd", "hd95", "hd95-directed", "assd", "nsd@2mm", "volume", "volume-error")


def values(reference, prediction, spacing_mm, metrics=ALL):
    found = score(reference, prediction, spacing_mm, {"LV": 1}, metrics)
    assert all(each.state == "ok" for each in found)
    return {each.metric: each.value for each in found}


def filled(shape, *box):
    labels = np.zeros(shape, np.uint8)
    labels[tuple(slice(first, last) for first, last in box)] = 1
    return labels


def test_a_perfect_prediction():
    labels = filled((6, 20, 20), (1, 5), (4, 15), (3, 12))
    found = values(labels, labels.copy(), (10.0, 1.5, 2.0))
    assert found == {
        "dice": 1.0,
        "iou": 1.0,
        "hd": 0.0,
        "hd95": 0.0,
        "hd95-directed": 0.0,
        "assd": 0.0,
        "nsd@2mm": 1.0,
        "volume": 4 * 11 * 9 * 30 / 1000,
        "volume-error": 0.0,
    }


def test_a_line_that_is_too_long():
    """Ten voxels against fifteen, all border. Distances: 20 zeros and 1, 2, 3, 4, 5 steps of 1 mm.

    Pooled 95th percentile: place 0.95 × 24 = 22.8 of the sorted 25, between 3 and 4. Directed: place
    0.95 × 14 = 13.3 of the prediction's 15, between 4 and 5.
    """
    found = values(filled((1, 30), (0, 1), (0, 10)), filled((1, 30), (0, 1), (0, 15)), (1.0, 1.0))
    assert found["dice"] == 20 / 25
    assert found["iou"] == 10 / 15
    assert found["hd"] == 5
    assert found["hd95"] == pytest.approx(3.8)
    assert found["hd95-directed"] == pytest.approx(4.3)
    assert found["assd"] == pytest.approx(15 / 25)
    assert found["nsd@2mm"] == 22 / 25


@pytest.mark.parametrize(("axis", "mm"), [(0, 10.0), (1, 1.5), (2, 0.8)])
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_shifted_box_is_off_by_the_shift(axis, mm, steps):
    """The trailing face has nothing nearer than the shift; every voxel has its own image at the shift."""
    reference = filled((14, 30, 30), (2, 8), (5, 20), (5, 20))
    prediction = np.roll(reference, steps, axis)
    assert values(reference, prediction, (10.0, 1.5, 0.8), ("hd",))["hd"] == pytest.approx(steps * mm)


@pytest.mark.parametrize(("axis", "mm"), [(0, 10.0), (1, 1.5), (2, 0.8)])
def test_a_plate_moved_along_its_normal_is_off_by_the_shift_everywhere(axis, mm):
    boxes = [(2, 9), (3, 20), (4, 18)]
    plates = []
    for at in (3, 6):
        boxes[axis] = (at, at + 1)
        plates.append(filled((12, 24, 24), *boxes))
    found = values(plates[0], plates[1], (10.0, 1.5, 0.8))
    for name in ("hd", "hd95", "hd95-directed", "assd"):
        assert found[name] == pytest.approx(3 * mm)
    assert found["dice"] == 0.0
    assert found["nsd@2mm"] == (0.0 if 3 * mm > 2 else 1.0)


def test_a_box_in_a_box_with_anisotropic_spacing():
    """The outer corner is farthest from the inner box: 2, 3 and 4 voxels away along the axes."""
    outer = filled((16, 30, 30), (2, 12), (4, 24), (5, 25))
    inner = filled((16, 30, 30), (4, 10), (7, 21), (9, 21))
    spacing_mm = (8.0, 1.25, 1.5)
    expected = math.sqrt((2 * 8.0) ** 2 + (3 * 1.25) ** 2 + (4 * 1.5) ** 2)
    assert values(outer, inner, spacing_mm, ("hd",))["hd"] == pytest.approx(expected, abs=1e-12)
    sizes = 10 * 20 * 20, 6 * 14 * 12
    assert values(outer, inner, spacing_mm, ("dice",))["dice"] == 2 * sizes[1] / sum(sizes)
    assert values(outer, inner, spacing_mm, ("volume-error",))["volume-error"] == pytest.approx(
        (sizes[1] - sizes[0]) * 8 * 1.25 * 1.5 / 1000
    )


def test_concentric_spheres_on_a_fine_anisotropic_grid():
    """Shells 6 mm apart everywhere; a grid can only miss that by the diagonal of a voxel at either end."""
    spacing_mm = (2.0, 1.0, 0.8)
    shape = (25, 50, 62)
    axes = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(shape, spacing_mm, strict=True)]
    radius = np.sqrt(sum(np.square(a) for a in np.meshgrid(*axes, indexing="ij")))
    found = values((radius < 22).astype(int), (radius < 16).astype(int), spacing_mm)
    diagonal = math.sqrt(2**2 + 1 + 0.8**2)
    for name in ("hd", "hd95", "hd95-directed", "assd"):
        assert found[name] == pytest.approx(6, abs=diagonal)
    assert found["volume"] == pytest.approx(4 / 3 * math.pi * 16**3 / 1000, rel=0.02)
    assert found["dice"] == pytest.approx(2 * 16**3 / (16**3 + 22**3), rel=0.02)
    assert found["nsd@2mm"] == 0.0


def test_the_border_is_of_faces_not_of_corners():
    """A plus of five pixels: its middle has four neighbours inside, so it is no border (as in MedPy)."""
    plus = filled((7, 7), (2, 5), (3, 4)) | filled((7, 7), (3, 4), (2, 5))
    middle = filled((7, 7), (3, 4), (3, 4))
    assert values(plus, middle, (1.0, 1.0), ("assd",))["assd"] == 1.0


def test_tolerance_includes_its_limit_whatever_floats_make_of_it():
    """Three steps of 0.1 mm are 0.30000000000000004 mm; they are within 0.3 mm."""
    first, second = filled((1, 9), (0, 1), (1, 2)), filled((1, 9), (0, 1), (4, 5))
    found = values(first, second, (0.1, 0.1), ("nsd@0.3mm", "nsd@0.29mm"))
    assert found == {"nsd@0.3mm": 1.0, "nsd@0.29mm": 0.0}


def test_scores_come_structure_by_structure_in_the_order_asked():
    labels = np.array([[1, 1, 0, 2, 2]])
    found = score(labels, labels, (1, 1), {"LV": 2, "RV": 1}, ("hd", "dice"))
    assert [(each.structure, each.metric, each.unit) for each in found] == [
        ("LV", "hd", "mm"),
        ("LV", "dice", ""),
        ("RV", "hd", "mm"),
        ("RV", "dice", ""),
    ]
