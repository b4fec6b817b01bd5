"""The way to the network's grid and back: geometry that must not drift."""

import numpy as np
import pytest
import torch

from harness.data.grid import ResamplingGrid, normalise


@pytest.mark.parametrize("native", [(96, 120), (97, 121), (40, 300)])
@pytest.mark.parametrize("crop", [(64, 64), (128, 128), (63, 200)])
def test_same_spacing_gives_back_every_label_inside_the_crop(
    native: tuple[int, int], crop: tuple[int, int]
) -> None:
    """Without resampling, there and back is exact inside the crop and background outside."""
    grid = ResamplingGrid.of(native, (1.5, 1.5), 1.5, crop)
    labels = torch.randint(0, 4, (2, *native), dtype=torch.uint8)
    there = grid.labels(labels, 4)
    assert there.shape == (2, *crop)
    back = grid.native_labels(torch.nn.functional.one_hot(there.long(), 4).movedim(-1, 1).float())
    inside = torch.zeros(native, dtype=torch.bool)
    y, x = ((max(0, (n - c) // 2), min(n, c)) for n, c in zip(native, crop, strict=True))
    inside[y[0] : y[0] + y[1], x[0] : x[0] + x[1]] = True
    assert torch.equal(back[:, inside], labels[:, inside])
    assert not back[:, ~inside].any()


def test_resampling_keeps_position_and_size_in_millimetres() -> None:
    """A disc's centre and area are the same in mm on both grids, and after the way back."""
    native, mm = (220, 180), (0.9, 1.2)
    y, x = np.mgrid[: native[0], : native[1]]
    disc = ((y - 100) * mm[0]) ** 2 + ((x - 95) * mm[1]) ** 2 <= 30**2
    grid = ResamplingGrid.of(native, mm, 1.5, (128, 128))
    there = grid.labels(torch.from_numpy(disc.astype(np.uint8))[None], 2)
    assert float(there.sum()) * 1.5**2 == pytest.approx(np.pi * 30**2, rel=0.02)
    back = grid.native_labels(torch.nn.functional.one_hot(there.long(), 2).movedim(-1, 1).float())[0].numpy()
    assert back.sum() * mm[0] * mm[1] == pytest.approx(np.pi * 30**2, rel=0.02)
    centre = [float(axis[back > 0].mean()) for axis in (y, x)]
    assert centre == pytest.approx([100, 95], abs=0.3)


def test_image_outside_the_scan_is_as_dark_as_its_darkest() -> None:
    image = torch.rand(1, 1, 20, 20) + 5
    padded = ResamplingGrid.of((20, 20), (1, 1), 1, (32, 32)).image(image)
    assert padded[0, 0, 0, 0] == image.min()
    assert torch.equal(padded[..., 6:26, 6:26], image)


def test_outside_the_scan_each_channel_has_its_own_darkest() -> None:
    """One channel's air is another one's brightest spot: it would upset the normalisation of both."""
    image = torch.stack([torch.rand(20, 20) - 1000, torch.rand(20, 20) + 5])[None]
    padded = ResamplingGrid.of((20, 20), (1, 1), 1, (32, 32)).image(image)
    assert padded[0, :, 0, 0].tolist() == image.amin((0, 2, 3)).tolist()


def test_z_score_and_percentile() -> None:
    image = torch.arange(1000.0).reshape(10, 1, 10, 10)
    scored = normalise(image, "z-score")
    assert float(scored.mean()) == pytest.approx(0, abs=1e-6)
    assert float(scored.std(correction=0)) == pytest.approx(1, abs=1e-6)
    image[0, 0, 0, 0] = 1e9
    assert float(normalise(image, "percentile").max()) < 2


def test_a_constant_image_becomes_zero_not_nan() -> None:
    assert not normalise(torch.full((2, 1, 4, 4), 7.0), "z-score").any()


def test_channels_are_normalised_apart() -> None:
    image = torch.rand(4, 2, 8, 8)
    image[:, 1] *= 1000
    sd = normalise(image, "z-score").transpose(0, 1).flatten(1).std(1, correction=0)
    assert sd.tolist() == pytest.approx([1, 1], abs=1e-5)
