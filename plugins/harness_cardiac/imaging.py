"""From shapes to pixels: soft edges, smooth textures, the coil's uneven light, and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating[Any]]
"""Signal or distance for each voxel; float32 wherever it is a whole volume."""


@dataclass(frozen=True)
class Grid:
    """Where voxels lie. `shape` and `spacing_mm` are ``(z, y, x)``; `shift_mm` moves each slice, ``(z, 2)``.

    Slices are moved as breath-holds move them: the whole body, not the heart within it.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    first_mm: float
    shift_mm: NDArray[np.float64]

    @property
    def heights(self) -> NDArray[np.float64]:
        """Height of each slice in mm, from the base at end-diastole towards the apex."""
        return self.first_mm + self.spacing_mm[0] * np.arange(self.shape[0], dtype=np.float64)

    def axes(self, window: tuple[slice, slice] | None = None) -> tuple[Image, Image]:
        """y ``(z, h, 1)`` and x ``(z, 1, w)`` in mm from the image's centre, in a window of it."""
        rows, columns = window or (slice(None), slice(None))
        y = (np.arange(self.shape[1]) - (self.shape[1] - 1) / 2) * self.spacing_mm[1]
        x = (np.arange(self.shape[2]) - (self.shape[2] - 1) / 2) * self.spacing_mm[2]
        return (
            (y[None, rows, None] - self.shift_mm[:, 0, None, None]).astype(np.float32),
            (x[None, None, columns] - self.shift_mm[:, 1, None, None]).astype(np.float32),
        )


def inside(depth_mm: Image, soft_mm: float | Image) -> Image:
    """How much of a voxel lies inside, 0 to 1, from its depth below a surface that is soft over `soft_mm`."""
    part = np.divide(depth_mm, soft_mm, dtype=np.float32)
    part += np.float32(0.5)
    return np.clip(part, 0, 1, out=part)


def paint(image: Image, part: Image, value: Image | float) -> None:
    """Put `value` over `image` where `part` is 1, mixed where it is between 0 and 1."""
    image += part * (value - image)


def smooth_noise(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    spacing_mm: tuple[float, float, float],
    cells_mm: tuple[float, float],
) -> Image:
    """Noise of standard deviation 1: a lattice `cells_mm` wide (across slices, in plane) under B-splines.

    Quadratic B-splines leave no trace of the lattice's axes, which linear interpolation does.
    """
    cells = (cells_mm[0], cells_mm[1], cells_mm[1])
    splines = [_spline(n, mm / cell) for n, mm, cell in zip(shape, spacing_mm, cells, strict=True)]
    noise = rng.standard_normal([int(index[-1]) + 3 for index, _ in splines], dtype=np.float32)
    for axis, (index, weights) in enumerate(splines):
        left, middle, right = weights.reshape(3, *(-1 if k == axis else 1 for k in range(3)))
        noise = (
            noise.take(index, axis) * left
            + noise.take(index + 1, axis) * middle
            + noise.take(index + 2, axis) * right
        )
    # The mean of the sum of the squared weights along an axis is 11/20.
    return noise * np.float32(0.55**-1.5)


def _spline(n: int, step: float) -> tuple[NDArray[np.intp], Image]:
    place = np.arange(n) * step
    index = np.floor(place).astype(np.intp)
    part = place - index
    weights = np.stack([(1 - part) ** 2 / 2, 0.5 + part * (1 - part), part**2 / 2])
    return index, weights.astype(np.float32)


def coil_light(rng: np.random.Generator, grid: Grid) -> Image:
    """A smooth gain around 1: brighter towards the chest, where the coils lie, and slow waves."""
    y, x = grid.axes()
    tilt = rng.uniform(0.0006, 0.0022)
    log_gain = -tilt * x + rng.uniform(-0.001, 0.001) * y
    for _ in range(2):
        wave, angle, phase = rng.uniform(250, 500), rng.uniform(0, math.pi), rng.uniform(0, 2 * np.pi)
        along = (math.cos(angle) * x + math.sin(angle) * y) * (2 * math.pi / wave)
        log_gain = log_gain + rng.uniform(0.03, 0.11) * np.cos(along + phase)
    return np.asarray(np.exp(log_gain), np.float32)


def rician(rng: np.random.Generator, image: Image, sigma: float) -> Image:
    """The magnitude of a complex signal with Gaussian noise in both channels.

    Gudbjartsson and Patz: The Rician distribution of noisy MRI data. MRM 34:910-914, 1995.
    """
    real = image + sigma * rng.standard_normal(image.shape, dtype=np.float32)
    imaginary = sigma * rng.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(np.hypot(real, imaginary), np.float32)
