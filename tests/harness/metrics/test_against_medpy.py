"""MedPy is the definition: the fast engine gives its values on every mask."""

from __future__ import annotations

import hearts
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from medpy.metric import binary

from harness.metrics import score

METRICS = ("dice", "iou", "hd", "hd95", "assd")
BY_MEDPY = {"dice": binary.dc, "iou": binary.jc, "hd": binary.hd, "hd95": binary.hd95, "assd": binary.assd}
NAMES = {"RV": 1, "MYO": 2, "LV": 3}


def compare(reference, prediction, spacing_mm, structures=NAMES):
    """Every score against MedPy's own function on whole masks; the number compared."""
    compared = 0
    for found in score(reference, prediction, spacing_mm, structures, METRICS):
        label = structures[found.structure]
        masks = prediction == label, reference == label
        if not (masks[0].any() and masks[1].any()):
            assert found.state != "ok"
            continue
        physical = {} if found.metric in ("dice", "iou") else {"voxelspacing": spacing_mm}
        expected = BY_MEDPY[found.metric](*masks, **physical)
        assert found.state == "ok"
        assert found.value == pytest.approx(expected, rel=1e-14, abs=1e-9), found
        compared += 1
    return compared


@st.composite
def maps(draw):
    """Two label maps and a spacing: 2D or 3D, some of one slice; drawn from a seed, so that all are rich.

    Noise is nearly all border, much of it at the edge of the array. Boxes are solid bodies and far
    islands. Voxels are structures of one voxel each.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dims = draw(st.sampled_from([2, 3]))
    shape = tuple(rng.integers(1, 45 if dims == 2 else 18, dims))
    kind = draw(st.sampled_from(["noise", "boxes", "voxels"]))
    density = draw(st.sampled_from([0.02, 0.3, 0.9]))
    both = []
    for _ in range(2):
        labels = np.zeros(shape, np.int16)
        if kind == "noise":
            labels[:] = rng.integers(1, 4, shape) * (rng.random(shape) < density)
        for label in rng.permutation([1, 2, 3, 1, 2, 3]) if kind != "noise" else ():
            at, size = rng.integers(shape), rng.integers(1, 10 if kind == "boxes" else 2, dims)
            labels[tuple(slice(i, i + n) for i, n in zip(at, size, strict=True))] = label
        both.append(labels)
    spacing_mm = draw(st.sampled_from(["usual", "equal", "any"]))
    if spacing_mm == "any":
        return *both, tuple(rng.uniform(0.05, 20, dims))
    return *both, ((10.0, 1.5625, 1.5625) if spacing_mm == "usual" else (0.7, 0.7, 0.7))[-dims:]


relaxed = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(maps())
def test_any_two_label_maps_score_as_in_medpy(both):
    compare(*both)


@pytest.mark.parametrize("seed", range(4))
def test_a_heart_with_a_networks_mistakes_scores_as_in_medpy(seed):
    rng = np.random.default_rng(seed)
    shape, spacing_mm = (7 + seed, 90, 100), (10.0, 1.5625, 1.40625)
    reference = hearts.heart(rng, shape, spacing_mm)
    prediction = hearts.predicted(rng, reference, islands=2 * seed, apex=seed % 2 == 0)
    assert compare(reference, prediction, spacing_mm) == 15


@pytest.mark.parametrize("shape", [(1, 24, 24), (24, 1, 24), (24, 24, 1), (1, 1, 30), (1, 30)])
def test_a_volume_of_one_slice_is_border_all_over(shape):
    """In 3D a single slice has background above and below, so that its inside is border too."""
    rng = np.random.default_rng(5)
    reference, prediction = (rng.integers(0, 4, shape) for _ in range(2))
    assert compare(reference, prediction, (8.0, 1.2, 1.2)[-len(shape) :])


def test_structures_that_fill_the_volume_have_a_border_at_its_edge():
    reference = np.ones((6, 7, 8), np.uint8)
    prediction = reference.copy()
    prediction[2:4, 2:5, 3:6] = 0
    assert compare(reference, prediction, (10.0, 1.5, 1.5), {"all": 1}) == 5


def test_noise_far_from_a_small_structure_scores_as_in_medpy():
    """An untrained network's output: nearly all of it is far away, and memory must stay small."""
    rng = np.random.default_rng(6)
    prediction = (rng.random((12, 80, 80)) < 0.5).astype(np.uint8)
    reference = np.zeros_like(prediction)
    reference[5, 3:6, 4:9] = 1
    assert compare(reference, prediction, (10.0, 1.5, 1.5), {"LV": 1}) == 5


def test_many_far_voxels_score_as_in_medpy():
    """Scattered too widely to be compared one by one, too few for a transform of the volume."""
    rng = np.random.default_rng(7)
    reference = np.zeros((12, 120, 120), np.uint8)
    reference[2:9, 10:30, 10:30] = 1
    prediction = reference.copy()
    prediction[:, 60:, 60:] = rng.random((12, 60, 60)) < 0.01
    assert compare(reference, prediction, (10.0, 1.5, 1.5), {"LV": 1}) == 5


def test_equal_rows_of_bits_on_an_exact_grid():
    """With spacing that floats hold exactly, the values are MedPy's to the last bit."""
    rng = np.random.default_rng(8)
    for _ in range(40):
        reference, prediction = rng.integers(0, 3, (2, 5, 14, 14))
        fast, slow = (
            score(reference, prediction, (8, 1.25, 1.5), {"a": 1, "b": 2}, METRICS, engine=engine)
            for engine in ("fast", "medpy")
        )
        assert fast == slow


@relaxed
@given(maps())
def test_the_medpy_engine_agrees_on_every_metric_and_state(both):
    """`engine="medpy"` is the check of the fast one: same states, same values, all metrics."""
    names = (*METRICS, "hd95-directed", "nsd@1.5mm", "volume", "volume-error")
    reference, prediction, spacing_mm = both
    fast, slow = (
        score(reference, prediction, spacing_mm, NAMES, names, engine=engine) for engine in ("fast", "medpy")
    )
    for ours, theirs in zip(fast, slow, strict=True):
        assert (ours.structure, ours.metric, ours.state) == (theirs.structure, theirs.metric, theirs.state)
        assert ours.value == (
            None if theirs.value is None else pytest.approx(theirs.value, rel=1e-14, abs=1e-9)
        )


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int64, np.uint32, bool])
@pytest.mark.parametrize("order", ["C", "F"])
def test_type_and_memory_layout_move_no_score(kind, order):
    rng = np.random.default_rng(9)
    reference, prediction = rng.integers(0, 2, (2, 4, 15, 15))
    expected = score(reference, prediction, (9.0, 1.1, 1.3), {"LV": 1})
    left, right = (np.asarray(labels, kind, order=order) for labels in (reference, prediction))
    assert score(left, right, (9.0, 1.1, 1.3), {"LV": 1}) == expected


def test_labels_beyond_a_byte_and_foreign_labels():
    """Other labels than the wanted ones are background, whatever their value."""
    rng = np.random.default_rng(10)
    small = rng.integers(0, 5, (2, 4, 15, 15))
    large = np.array([0, 500, 820, -1, 70000])[small]
    spacing_mm = (9.0, 1.1, 1.3)
    alone = np.where(small == 2, 1, 0)

    def scored(maps, structures):
        return score(maps[0], maps[1], spacing_mm, structures)

    assert scored(large, {"a": 500, "b": 820}) == scored(small, {"a": 1, "b": 2})
    assert scored(small, {"b": 2}) == scored(alone, {"b": 1})
