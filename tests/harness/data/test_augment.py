"""Augmentation: image and labels move together, and nothing moves that should not."""

from typing import Any

import pytest
import torch
from torch import Tensor

from harness.config.protocol import Augmentation
from harness.data.augment import _grid, _transforms, augment


def settings(**changes: float) -> Any:
    return Augmentation.model_validate(changes)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def blocks(batch: int = 4, depth: int | None = None, size: int = 64) -> tuple[Tensor, Tensor]:
    """Large squares of labels 0 to 3, well inside; the image is the label map."""
    labels = torch.zeros(batch, *([depth] if depth else []), size, size, dtype=torch.uint8)
    labels[..., 20:30, 20:30], labels[..., 34:44, 20:30], labels[..., 22:44, 34:44] = 1, 2, 3
    return labels[:, None].float(), labels


STRONG = {"flip": 0.5, "rotate_deg": 40.0, "scale": 0.2, "shift": 0.05}


@pytest.mark.parametrize("depth", [None, 5])
def test_all_zero_changes_not_a_bit(depth: int | None) -> None:
    images, labels = blocks(depth=depth)
    a, b = augment(images, labels, settings(), generator())
    assert a is images
    assert b is labels


@pytest.mark.parametrize("depth", [None, 5])
def test_image_and_labels_move_together(depth: int | None) -> None:
    images, labels = blocks(depth=depth)
    moved, marked = augment(images, labels, settings(**STRONG), generator())
    assert moved.shape == images.shape
    assert marked.shape == labels.shape
    assert marked.dtype == labels.dtype
    assert not torch.equal(marked, labels)
    assert set(marked.unique().tolist()) <= {0, 1, 2, 3}
    agree = (moved[:, 0].round() == marked).float().mean()
    assert agree > 0.96  # they differ only along borders, where one is interpolated


def test_the_generator_decides_everything() -> None:
    images, labels = blocks()
    loud = settings(**STRONG, brightness=0.3, contrast=0.3, gamma=0.3, noise=0.1)
    a, b = (augment(images, labels, loud, generator(3)) for _ in range(2))
    assert torch.equal(a[0], b[0])
    assert torch.equal(a[1], b[1])
    assert not torch.equal(a[0], augment(images, labels, loud, generator(4))[0])


def test_slices_of_a_volume_share_their_transform() -> None:
    images, labels = blocks(batch=3, depth=6)
    moved, marked = augment(images, labels, settings(**STRONG), generator())
    assert torch.equal(marked, marked[:, :1].expand_as(marked))
    assert torch.equal(moved, moved[:, :, :1].expand_as(moved))
    assert not torch.equal(marked[0], marked[1])


def test_a_certain_flip_is_an_exact_mirror() -> None:
    images = torch.randn(2, 3, 9, 12)
    labels = torch.randint(0, 4, (2, 9, 12), dtype=torch.uint8)
    moved, marked = augment(images, labels, settings(flip=1.0), generator())
    torch.testing.assert_close(moved, images.flip(-1, -2), atol=1e-5, rtol=0)
    assert torch.equal(marked, labels.flip(-1, -2))


def test_a_quarter_turn_is_exact() -> None:
    """The transform's matrix for 90 degrees, applied through the same grid."""
    theta = torch.tensor([[[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]])
    image = torch.randn(1, 1, 8, 8)
    turned = torch.nn.functional.grid_sample(image, _grid(theta, (8, 8), (8, 8)), align_corners=False)
    torch.testing.assert_close(turned, torch.rot90(image, -1, (2, 3)), atol=1e-5, rtol=0)


def test_a_shift_is_in_pixels_of_its_own_axis() -> None:
    theta = torch.tensor([[[1.0, 0.0, 3.0], [0.0, 1.0, -2.0]]])
    image = torch.randn(1, 1, 10, 16)
    moved = torch.nn.functional.grid_sample(image, _grid(theta, (10, 16), (10, 16)), align_corners=False)
    torch.testing.assert_close(moved[..., 2:, :13], image[..., :8, 3:], atol=1e-5, rtol=0)


def test_drawn_transforms_stay_within_their_bounds() -> None:
    limits = settings(rotate_deg=30, scale=0.2, shift=0.1)
    theta = _transforms(2000, 50, 100, limits, generator(), torch.device("cpu"))
    zoom = 1 / theta[:, :, :2].pow(2).sum(1).sqrt()
    angle = torch.rad2deg(torch.atan2(theta[:, 0, 1], theta[:, 0, 0]))
    assert 0.8 <= zoom.min() < 0.81
    assert 1.19 < zoom.max() <= 1.2001
    assert -30.001 <= angle.min() < -29
    assert 29 < angle.max() <= 30.001
    assert 9.8 < theta[:, 0, 2].abs().max() <= 10
    assert 4.9 < theta[:, 1, 2].abs().max() <= 5


def test_probability_zero_changes_nothing_and_a_half_about_half() -> None:
    images, labels = blocks(batch=200, size=64)
    untouched = settings(rotate_deg=40, spatial_probability=0, noise=1, intensity_probability=0)
    assert augment(images, labels, untouched, generator())[0] is images
    _, marked = augment(images, labels, settings(rotate_deg=40, spatial_probability=0.5), generator())
    same = (marked == labels).flatten(1).all(1).float().mean()
    assert 0.35 < same < 0.65


def test_labels_from_outside_are_background_and_the_image_its_edge() -> None:
    images, labels = torch.full((8, 1, 32, 32), 5.0), torch.full((8, 32, 32), 2, dtype=torch.uint8)
    moved, marked = augment(images, labels, settings(shift=0.4), generator())
    assert (moved == 5).all()
    assert (marked == 0).any()


def test_intensity_changes_leave_labels_and_stay_finite() -> None:
    images, labels = torch.randn(4, 2, 5, 16, 16), torch.zeros(4, 5, 16, 16, dtype=torch.uint8)
    loud = settings(brightness=1, contrast=0.5, gamma=0.5, noise=0.5)
    tinted, same = augment(images, labels, loud, generator())
    assert same is labels
    assert torch.isfinite(tinted).all()
    assert not torch.equal(tinted, images)
    constant, _ = augment(
        torch.full((2, 1, 8, 8), 3.0), labels[:2, 0, :8, :8], settings(gamma=0.5), generator()
    )
    torch.testing.assert_close(constant, torch.full((2, 1, 8, 8), 3.0))


def test_layout_and_precision_are_kept() -> None:
    images, labels = blocks()
    half = images.bfloat16().contiguous(memory_format=torch.channels_last)
    moved, _ = augment(half, labels, settings(**STRONG, noise=0.1), generator())
    assert moved.dtype == torch.bfloat16


@pytest.mark.parametrize("depth", [None, 3])
def test_a_patch_is_a_part_of_the_sample(depth: int | None) -> None:
    inside = [depth] if depth else []
    labels = torch.arange(20 * 24).reshape(20, 24).expand(50, *inside, 20, 24).to(torch.int32)
    images = labels[:, None].float()
    cut, marked = augment(images, labels, settings(), generator(), patch=(10, 16))
    assert cut.shape == (50, 1, *inside, 10, 16)
    assert marked.shape == (50, *inside, 10, 16)
    # A step to the right is 1, a step down 24: neither turned nor zoomed, somewhere within.
    assert (cut.diff(dim=-1) - 1).abs().max() < 1e-2
    assert (cut.diff(dim=-2) - 24).abs().max() < 1e-2
    corner = cut.reshape(50, -1)[:, 0]
    down, right = (corner / 24).floor(), corner % 24
    assert 0 <= down.min() < 2
    assert 8 < down.max() <= 10
    assert len(right.round().unique()) > 5
    assert set(marked.unique().tolist()) <= set(range(20 * 24))


def test_a_patch_as_large_as_the_sample_changes_nothing() -> None:
    images, labels = blocks()
    assert augment(images, labels, settings(), generator(), patch=(64, 64))[0] is images
