"""A beating heart in pixels: its labels, and its signal over that of the body."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness_cardiac import STRUCTURES
from harness_cardiac.anatomy import THETA, Array, Beat, Contours
from harness_cardiac.imaging import Grid, Image, inside, paint, smooth_noise


@dataclass(frozen=True)
class Look:
    """How bright this patient's tissues are (blood about 1), and what roughens them."""

    blood: float
    rv_blood: float
    muscle: float
    fat: float
    fat_mm: Array
    papillaries: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Polar:
    """Voxels as seen from the long axis: mm down and right of it, distance, and place in a table of radii."""

    y: Image
    x: Image
    radius: Image
    place: NDArray[np.intp]

    def look_up(self, radii: Array) -> Image:
        """For each voxel the radius ``(heights, angles)`` in its direction."""
        return radii.astype(np.float32).ravel()[self.place]


def draw(
    rng: np.random.Generator, grid: Grid, beat: Beat, axis: Array, look: Look, image: Image
) -> NDArray[np.uint8]:
    """Paint a beating heart, centred at `axis` ``(z, 2)``, over the body in `image`; give its labels."""
    window = _window(grid, axis)
    polar = _polar(grid, axis, window)
    _paint_heart(rng, grid, beat, look, image[:, window[0], window[1]], polar)
    labels = np.zeros(grid.shape, np.uint8)
    _label(labels[:, window[0], window[1]], beat.at(grid.heights), polar)
    return labels


def _polar(grid: Grid, axis: Array, window: tuple[slice, slice]) -> Polar:
    y, x = grid.axes(window)
    y = y - axis[:, 0, None, None].astype(np.float32)
    x = x - axis[:, 1, None, None].astype(np.float32)
    n = len(THETA)
    angle = np.floor(np.arctan2(y, x) * np.float32(n / (2 * np.pi))).astype(np.intp) % n
    return Polar(y, x, np.hypot(y, x), angle + (n * np.arange(grid.shape[0]))[:, None, None])


def _window(grid: Grid, axis: Array) -> tuple[slice, slice]:
    """Rows and columns that hold all of the heart and its fat."""
    windows = []
    for k in (0, 1):
        n, mm = grid.shape[k + 1], grid.spacing_mm[k + 1]
        middle = (n - 1) / 2
        low = int(middle + (axis[:, k].min() - 100) / mm)
        high = int(middle + (axis[:, k].max() + 100) / mm)
        windows.append(slice(max(low, 0), min(high, n)))
    return windows[0], windows[1]


def _label(labels: NDArray[np.uint8], contours: Contours, polar: Polar) -> None:
    for structure, edge in (("RV", contours.rv), ("MYO", contours.epi), ("LV", contours.pool)):
        marked = np.where(contours.labelled[:, None], edge, 0)
        labels[polar.radius < polar.look_up(marked)] = STRUCTURES[structure]


def _paint_heart(
    rng: np.random.Generator, grid: Grid, beat: Beat, look: Look, image: Image, polar: Polar
) -> None:
    shape = (image.shape[0], image.shape[1], image.shape[2])
    spacing, soft = grid.spacing_mm, 1.3 * grid.spacing_mm[1]
    flow = smooth_noise(rng, shape, spacing, (1, 9))
    grain = smooth_noise(rng, shape, spacing, (1, 2.5))
    knots = smooth_noise(rng, shape, spacing, (9, 4))
    texture = 0.035 * flow + 0.03 * grain
    muscle = look.muscle * (1 + 0.08 * grain + 0.04 * flow)

    # A slice is thick: over its thickness an edge moves, and so it is soft in the image.
    above, middle, below = (beat.at(grid.heights + part * grid.spacing_mm[0]) for part in (-0.4, 0, 0.4))

    def part(name: str, wider_mm: Array | float = 0.0, roughness: Image | float = 0.0) -> Image:
        edges = [getattr(contours, name) for contours in (above, middle, below)]
        edge = (edges[0] + 2 * edges[1] + edges[2]) / 4 + wider_mm
        ramp = np.hypot(soft, 0.9 * np.abs(edges[2] - edges[0]))
        return inside(polar.look_up(edge) + roughness - polar.radius, polar.look_up(ramp))

    t = np.clip(grid.heights / beat.heart.length_mm, 0, 1)[:, None]
    rv_wall = 2.5 * np.clip((middle.rv - middle.epi) / 3, 0, 1)
    fat = rv_wall + look.fat_mm * np.clip(middle.epi / 12, 0, 1)
    teeth = (0.7 + 1.3 * t[..., None]).astype(np.float32) * np.minimum(knots, 0)
    paint(image, part("rv", fat, 0.7 * knots), look.fat * (1 + 0.06 * grain))
    paint(image, part("rv", rv_wall), muscle)
    paint(image, part("rv"), look.rv_blood * (1 + texture))
    trabeculae = (part("rv") - part("rv", -2 - 12 * t)) * np.clip(knots, 0, 1)
    paint(image, 0.8 * trabeculae, muscle)
    paint(image, part("epi"), muscle)
    pool = part("pool", roughness=teeth)
    paint(image, pool, look.blood * (1 + texture))
    paint(image, pool * _pillars(grid, beat, look, polar, soft, knots), muscle)


def _pillars(grid: Grid, beat: Beat, look: Look, polar: Polar, soft: float, knots: Image) -> Image:
    """Where papillary muscles stand in the pool, from below the base to above the apex."""
    pool = beat.at(grid.heights).pool
    t = (grid.heights - beat.base_mm) / (beat.heart.length_mm - beat.base_mm)
    along = np.clip(np.minimum(t - 0.2, 0.85 - t) / 0.15, 0, 1)
    total = np.zeros(polar.radius.shape, np.float32)
    for angle, out, size in look.papillaries:
        at = (out * pool[:, round(angle / (2 * math.pi) * len(THETA)) % len(THETA)])[:, None, None].astype(
            np.float32
        )
        away = np.hypot(polar.x - math.cos(angle) * at, polar.y - math.sin(angle) * at)
        thick = (size * along)[:, None, None].astype(np.float32)
        np.maximum(total, inside(thick + 0.8 * knots - away, soft) * (thick > 0), out=total)
    return total
