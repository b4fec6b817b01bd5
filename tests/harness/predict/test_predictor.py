"""Predictions come back on the grid of the scan, cleaned as the protocol says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from made_specs import run_protocol
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor, nn

from harness.contract.protocol import RunProtocol
from harness.data.case import Volume
from harness.errors import PluginError
from harness.measure.compute import Compute
from harness.plugins.records import Task
from harness.predict.predictor import Predictor, largest_components

CPU = Compute(torch.device("cpu"), "fp32")


@dataclass
class Thresholds:
    """A protocol's way in, and a network that tells dark, grey and bright apart."""

    spacing_mm: float = 1.5
    crop: tuple[int, int] = (32, 32)
    largest_component: bool = False

    def protocol(self) -> RunProtocol:
        return run_protocol(**vars(self))


class Brightness(nn.Module):
    """Class 1 where the image is above its mean, else background; for 2D and 3D alike."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(x), 20 * x], dim=1)


def task(dims: int = 2) -> Task:
    return Task(dims, 1, 2, (1.0, 1.0), ("LV",))


def bright_box(shape: tuple[int, int, int], fraction: float = 0.5) -> tuple[NDArray[np.uint8], Any]:
    """A bright box about the image's centre, and the labels of it."""
    labels = np.zeros(shape, np.uint8)
    sides = [slice(round(n * (1 - fraction) / 2), round(n * (1 + fraction) / 2)) for n in shape[1:]]
    labels[:, sides[0], sides[1]] = 1
    return labels, (100.0 * labels[None]).astype(np.float32)


def predict(volume: Volume, way: Thresholds, dims: int = 2) -> NDArray[np.uint8]:
    return Predictor(Brightness(), task(dims), way.protocol(), CPU)(volume)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(
    ("shape", "spacing_mm", "crop"),
    [
        ((3, 33, 47), (8.0, 1.5, 1.5), (32, 32)),  # odd, larger than the crop
        ((2, 21, 17), (8.0, 1.5, 1.5), (64, 48)),  # smaller than the crop
        ((1, 40, 40), (8.0, 1.5, 1.5), (40, 40)),  # one slice only
        ((20, 15, 60), (8.0, 1.5, 1.5), (32, 32)),  # more slices than at once; one side within, one beyond
        ((4, 41, 31), (5.0, 0.9, 2.3), (48, 48)),  # pixels that are not square
        ((2, 1, 1), (5.0, 1.0, 1.0), (8, 8)),  # a single pixel a slice
    ],
)
def test_any_scan_comes_back_in_its_own_shape(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], crop: tuple[int, int], dims: int
) -> None:
    _, image = bright_box(shape)
    labels = predict(Volume(image, None, spacing_mm), Thresholds(crop=crop), dims)
    assert labels.shape == shape
    assert labels.dtype == np.uint8


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize(("spacing_mm", "slack"), [((8.0, 1.5, 1.5), 0), ((5.0, 0.9, 2.3), 2)])
def test_what_the_network_finds_lies_where_it_was_found(
    spacing_mm: tuple[float, float, float], slack: int, dims: int
) -> None:
    """Exact at the protocol's spacing; elsewhere within a border of `slack` pixels, never shifted."""
    expected, image = bright_box((3, 45, 37))
    labels = predict(Volume(image, None, spacing_mm), Thresholds(crop=(64, 64)), dims)
    grown, shrunk = (
        f(expected > 0, np.ones((1, 3, 3), bool), iterations=slack) if slack else expected > 0
        for f in (ndimage.binary_dilation, ndimage.binary_erosion)
    )
    assert not (labels.astype(bool) & ~grown).any()
    assert labels[shrunk].all()
    for axis in (1, 2):
        off = np.mean(np.nonzero(labels)[axis]) - np.mean(np.nonzero(expected)[axis])
        assert abs(off) < 0.5


def test_outside_the_crop_all_is_background() -> None:
    class Always(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([torch.zeros_like(x), torch.ones_like(x)], dim=1)

    volume = Volume(np.ones((1, 2, 41, 40), np.float32), None, (8.0, 1.5, 1.5))
    labels = Predictor(Always(), task(), Thresholds(crop=(21, 14)).protocol(), CPU)(volume)
    expected = np.zeros((2, 41, 40), np.uint8)
    expected[:, 10:31, 13:27] = 1
    assert np.array_equal(labels, expected)


def test_the_reference_is_not_looked_at() -> None:
    expected, image = bright_box((2, 30, 30))
    answers = [
        predict(Volume(image, reference, (8.0, 1.5, 1.5)), Thresholds())
        for reference in (None, expected, np.ones_like(expected))
    ]
    assert all(np.array_equal(answers[0], other) for other in answers[1:])


@pytest.mark.parametrize("change", ["flipped", "float64", "int16", "big-endian"])
def test_a_dataset_may_give_its_arrays_as_they_lie_in_the_file(change: str) -> None:
    expected, image = bright_box((2, 30, 30))
    given_ = {
        "flipped": image[:, :, ::-1],
        "float64": image.astype(np.float64),
        "int16": image.astype(np.int16),
        "big-endian": image.astype(">f4"),
    }[change]
    assert np.array_equal(predict(Volume(given_, None, (8.0, 1.5, 1.5)), Thresholds()), expected)


def test_a_network_that_answers_nan_fails_instead_of_finding_nothing() -> None:
    class NaN(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([x, x / 0 - x / 0], dim=1)

    _, image = bright_box((1, 16, 16))
    with pytest.raises(PluginError, match="NaN"):
        Predictor(NaN(), task(), Thresholds().protocol(), CPU)(Volume(image, None, (8.0, 1.5, 1.5)))


def by_scipy(labels: NDArray[np.uint8], classes: int) -> NDArray[np.uint8]:
    kept = np.zeros_like(labels)
    for k in range(1, classes):
        parts, count = ndimage.label(labels == k)
        if count:
            sizes = ndimage.sum_labels(labels == k, parts, range(1, count + 1))
            kept[parts == 1 + int(np.argmax(sizes))] = k
    return kept


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.floats(0.05, 0.95))
def test_the_largest_part_of_each_structure_stays(seed: int, classes: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 8, 3))
    labels = (rng.integers(1, classes, shape) * (rng.random(shape) < density)).astype(np.uint8)
    before = labels.copy()
    kept = largest_components(labels, classes)
    assert kept.dtype == np.uint8
    assert np.array_equal(kept, by_scipy(labels, classes))
    assert np.array_equal(labels, before)


def test_a_structure_of_one_voxel_stays_and_an_absent_one_does_no_harm() -> None:
    labels = np.zeros((3, 8, 8), np.uint8)
    labels[1, 4, 4] = 3
    labels[0, 0, :3] = 1
    assert np.array_equal(largest_components(labels, 4), labels)
    assert not largest_components(np.zeros_like(labels), 4).any()


def test_parts_that_touch_at_a_corner_are_two() -> None:
    labels = np.zeros((1, 4, 4), np.uint8)
    labels[0, 0, :2] = 1
    labels[0, 1, 2] = 1
    assert largest_components(labels, 2)[0].sum() == 2


def test_the_protocol_decides_whether_there_is_a_clean_up() -> None:
    labels, image = bright_box((2, 31, 31), fraction=0.3)
    image[0, 1, 2, 2] = 100.0
    volume = Volume(image, None, (8.0, 1.5, 1.5))
    assert predict(volume, Thresholds(largest_component=False))[1, 2, 2] == 1
    assert np.array_equal(predict(volume, Thresholds(largest_component=True)), labels)
