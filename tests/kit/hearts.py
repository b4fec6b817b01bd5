"""Label maps of made-up short-axis hearts, and the kind of mistakes that networks make in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STRUCTURES = {"RV": 1, "MYO": 2, "LV": 3}
ACDC_SHAPE, ACDC_SPACING_MM = (10, 256, 216), (10.0, 1.5625, 1.5625)

Labels = NDArray[np.uint8]


def heart(
    rng: np.random.Generator,
    shape: tuple[int, int, int] = ACDC_SHAPE,
    spacing_mm: tuple[float, float, float] = ACDC_SPACING_MM,
) -> Labels:
    """An LV pool in a myocardial ring beside an RV crescent, tapering from base to apex."""
    slices = shape[0]
    labels = np.zeros(shape, np.uint8)
    centre = np.array(shape[1:]) / 2 + rng.uniform(-4, 4, 2)
    pool_mm, wall_mm = rng.uniform(20, 28), rng.uniform(7, 11)
    for z in range(slices):
        taper = np.sqrt(1 - (0.9 * z / slices) ** 2)
        y, x = ((np.indices(shape[1:]).T - centre) * spacing_mm[1:]).T
        left = np.hypot(y, x) + wobble(rng, y, x)
        right = np.hypot(y, 1.3 * (x + 1.2 * pool_mm * taper)) + wobble(rng, y, x)
        labels[z][(right < 1.5 * pool_mm * taper) & (x < 0)] = 1
        labels[z][left < pool_mm * taper + wall_mm] = 2
        labels[z][left < pool_mm * taper] = 3
    return labels


def wobble(rng: np.random.Generator, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth shift of a contour in mm, by angle."""
    angle = np.arctan2(y, x)
    waves = (rng.normal(0, 1.2 / n) * np.cos(n * angle + rng.uniform(0, 6.3)) for n in range(1, 8))
    shift: NDArray[np.float64] = np.sum(list(waves), axis=0)
    return shift


def predicted(rng: np.random.Generator, reference: Labels, *, islands: int = 3, apex: bool = True) -> Labels:
    """A copy with contours a voxel off here and there, false islands, perhaps without its apical slice."""
    labels = reference.copy()
    for _ in range(2):
        # Each voxel takes the label of a neighbour in its slice, along borders that move together.
        step = rng.integers(-1, 2, (2, *(n // 8 + 1 for n in labels.shape[1:])))
        dy, dx = (np.kron(s, np.ones((8, 8), int))[: labels.shape[1], : labels.shape[2]] for s in step)
        y, x = np.indices(labels.shape[1:])
        labels = labels[:, (y + dy).clip(0, labels.shape[1] - 1), (x + dx).clip(0, labels.shape[2] - 1)]
    for _ in range(islands):
        z = rng.integers(labels.shape[0])
        y, x = (rng.integers(n // 6, n - n // 6) for n in labels.shape[1:])
        height, width = rng.integers(1, 6, 2)
        labels[z, y : y + height, x : x + width] = rng.integers(1, 4)
    if not apex:
        labels[-1] = 0
    return np.ascontiguousarray(labels)
