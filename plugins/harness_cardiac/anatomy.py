"""A heart's shape: contours around the long axis of the left ventricle, at any height and in two phases.

All contours are radii in mm on a ring of angles around the axis (x right, y down), so areas,
and with them volumes, have a closed form, and ejection fractions are solved for, not hoped for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Range = tuple[float, float]

THETA: Array = np.linspace(0, 2 * np.pi, 360, endpoint=False)


@dataclass(frozen=True)
class Group:
    """What a diagnosis means: volumes at end-diastole in mL, ejection fractions, walls in mm."""

    lv_ml: Range
    lv_ef: Range
    rv_ml: Range
    rv_ef: Range
    wall_mm: Range
    septal: Range = (0.0, 0.15)
    flat_septum: Range = (0.0, 0.05)
    scar: bool = False


GROUPS = {
    "NOR": Group((100, 160), (0.54, 0.70), (110, 175), (0.45, 0.62), (6.5, 8.5)),
    "DCM": Group((215, 300), (0.14, 0.35), (120, 210), (0.25, 0.50), (6.5, 9.0)),
    "HCM": Group((85, 160), (0.60, 0.74), (80, 150), (0.45, 0.65), (10.0, 13.5), septal=(0.15, 0.6)),
    "MINF": Group((130, 205), (0.28, 0.45), (95, 165), (0.42, 0.62), (7.0, 9.0), scar=True),
    "RV": Group((80, 135), (0.48, 0.62), (185, 250), (0.24, 0.38), (6.0, 8.0), flat_septum=(0.06, 0.16)),
}
"""The five groups of ACDC, in the order in which patients are dealt."""


@dataclass(frozen=True)
class Contours:
    """Radii in mm, ``(heights, angles)``; `labelled` tells which heights a reader would mark."""

    pool: Array
    epi: Array
    rv: Array
    labelled: NDArray[np.bool_]


@dataclass(frozen=True)
class Heart:
    """What stays the same from beat to beat. Heights count from the base at end-diastole, in mm."""

    group: str
    length_mm: float
    shortening_mm: float
    taper: tuple[float, float]
    oval: Array
    uneven: Array
    scar: tuple[float, float, float] | None
    rv_angle: float
    rv_half_width: float
    rv_skew: float
    rv_vanishes: float
    lv_ml: tuple[float, float]
    rv_ml: tuple[float, float]
    wall_mm: float
    thickening: float


def sample_heart(rng: np.random.Generator, group: str) -> Heart:
    """Draw a heart of a group of `GROUPS`."""
    kind = GROUPS[group]
    lv, rv = rng.uniform(*kind.lv_ml), rng.uniform(*kind.rv_ml)
    lv_ef, rv_ef = rng.uniform(*kind.lv_ef), rng.uniform(*kind.rv_ef)
    rv_angle = np.pi + rng.uniform(-0.5, 0.35)
    at_septum = np.exp(-((_turn(THETA - rv_angle) / 0.7) ** 2))
    oval = 1 + _waves(rng, {2: 0.05, 3: 0.02, 4: 0.012}) - rng.uniform(*kind.flat_septum) * at_septum
    uneven = 1 + _waves(rng, {1: 0.1, 2: 0.06, 3: 0.04}) + rng.uniform(*kind.septal) * at_septum
    length = min(80 * (lv / 130) ** (1 / 3) * rng.uniform(0.94, 1.06), 96.0)
    away_from_rv = rv_angle + np.pi + rng.uniform(-2.2, 2.2)
    scar = (away_from_rv, rng.uniform(0.6, 1.1), rng.uniform(0.1, 0.45)) if kind.scar else None
    return Heart(
        group=group,
        length_mm=length,
        shortening_mm=length * 0.16 * lv_ef * rng.uniform(0.8, 1.2),
        taper=(rng.uniform(2.0, 2.9), rng.uniform(0.48, 0.6)),
        oval=oval,
        uneven=uneven,
        scar=scar,
        rv_angle=rv_angle,
        rv_half_width=rng.uniform(1.1, 1.3) + 0.0012 * (rv - 110),
        rv_skew=rng.uniform(-0.2, 0.2),
        rv_vanishes=rng.uniform(0.74, 0.92),
        lv_ml=(lv, lv * (1 - lv_ef)),
        rv_ml=(rv, rv * (1 - rv_ef)),
        wall_mm=rng.uniform(*kind.wall_mm),
        thickening=rng.uniform(1.0, 1.12),
    )


@dataclass(frozen=True)
class Beat:
    """A heart in one phase, by three sizes in mm; `relaxed` is its end-diastole, in another phase."""

    heart: Heart
    pool_mm: float
    wall_mm: float
    rv_mm: float
    relaxed: Beat | None = None

    @property
    def base_mm(self) -> float:
        """Height of the base; it descends as the heart contracts."""
        return self.heart.shortening_mm if self.relaxed else 0.0

    def at(self, heights: Array) -> Contours:
        """Contours at `heights` in mm; above the base those of the atria and great vessels."""
        t = (heights - self.base_mm) / (self.heart.length_mm - self.base_mm)
        above = (t < 0)[:, None]
        pool = self._pool(heights, t)
        epi = np.where(above, pool + 2.0, self._epi(heights, t, pool))
        return Contours(pool, epi, self._rv(t, epi), (t >= 0) & (epi > 0).all(1))

    def _pool(self, heights: Array, t: Array) -> Array:
        power, blunt = self.heart.taper
        profile = (1 - np.clip(t, 0, 1) ** power) ** blunt
        pool = self.pool_mm * profile[:, None] * self.heart.oval
        if self.relaxed is None:
            return pool
        stiff = self._stiff(t)
        still = self.relaxed._pool(heights, heights / self.heart.length_mm)
        return pool + stiff * np.maximum(0.96 * still - pool, 0)

    def _epi(self, heights: Array, t: Array, pool: Array) -> Array:
        stiff = self._stiff(t)
        own = self.wall_mm * (1 - stiff) + (self.relaxed or self).wall_mm * 0.6 * stiff
        wall = own * self.heart.uneven * (1 - 0.25 * np.clip(t, 0, 1)[:, None] ** 2)
        # Below the pool's tip the wall closes as half an ellipsoid.
        cap = 0.75 * self.wall_mm
        below = np.clip((heights - self.heart.length_mm) / cap, 0, 1)[:, None]
        return np.where(below < 1, pool + wall * np.sqrt(1 - below**2), 0.0)

    def _rv(self, t: Array, epi: Array) -> Array:
        heart = self.heart
        s = np.clip(t / heart.rv_vanishes, 0, 1)[:, None]
        half_width = heart.rv_half_width * (1 - 0.3 * s) * (0.9 if self.relaxed else 1.0)
        x = _turn(THETA - heart.rv_angle) / half_width
        x = np.clip(x, -1, 1)
        x = x + heart.rv_skew * (1 - x**2)
        depth = (1 - s**1.8) ** 0.8 * (1 - np.abs(x) ** 2.4) ** 0.65
        return np.where(epi > 0, epi + self.rv_mm * depth, 0.0)

    def _stiff(self, t: Array) -> Array:
        """How much a place takes part in a scar, 0 to 1."""
        if self.heart.scar is None:
            return np.zeros((len(t), len(THETA)))
        angle, half_width, start = self.heart.scar
        around = _smooth((half_width - np.abs(_turn(THETA - angle))) / 0.5 + 0.5)
        along = _smooth((t - start) / 0.2 + 0.5)
        return along[:, None] * around


def beats(heart: Heart, heights: Array, thickness_mm: float) -> tuple[Beat, Beat]:
    """End-diastole and end-systole, of the heart's volumes when summed over slices at `heights`."""
    relaxed = _fit(Beat(heart, 1, heart.wall_mm, 1), 0, heights, thickness_mm)
    muscle = _muscle_ml(relaxed, heights, thickness_mm) * heart.thickening
    start = Beat(heart, 1, heart.wall_mm, 1, relaxed)
    with_pool = _fit(start, 1, heights, thickness_mm)
    wall = _solve(
        lambda mm: _muscle_ml(Beat(heart, with_pool.pool_mm, mm, 0, relaxed), heights, thickness_mm), muscle
    )
    return relaxed, _fit(Beat(heart, 1, wall, 1, relaxed), 1, heights, thickness_mm)


def _fit(beat: Beat, phase: int, heights: Array, thickness_mm: float) -> Beat:
    heart, wall, relaxed = beat.heart, beat.wall_mm, beat.relaxed

    def lv_ml(mm: float) -> float:
        contours = Beat(heart, mm, wall, 0, relaxed).at(heights)
        return _ml(contours, contours.pool, np.zeros_like(contours.pool), thickness_mm)

    pool = _solve(lv_ml, heart.lv_ml[phase])

    def rv_ml(mm: float) -> float:
        contours = Beat(heart, pool, wall, mm, relaxed).at(heights)
        return _ml(contours, contours.rv, contours.epi, thickness_mm)

    return Beat(heart, pool, wall, _solve(rv_ml, heart.rv_ml[phase]), relaxed)


def _muscle_ml(beat: Beat, heights: Array, thickness_mm: float) -> float:
    contours = beat.at(heights)
    return _ml(contours, contours.epi, contours.pool, thickness_mm)


def _ml(contours: Contours, outer: Array, inner: Array, thickness_mm: float) -> float:
    """Volume between two contours: half the integral of r² over the angle is an area."""
    areas = np.pi * (outer**2 - inner**2).mean(1)
    return float(areas[contours.labelled].sum() * thickness_mm / 1000)


def _solve(volume_ml: Callable[[float], float], target: float) -> float:
    """The size in mm, up to 100, at which a growing `volume_ml` meets `target`."""
    low, high = 0.0, 100.0
    for _ in range(22):
        middle = (low + high) / 2
        low, high = (middle, high) if volume_ml(middle) < target else (low, middle)
    return (low + high) / 2


def _waves(rng: np.random.Generator, sizes: dict[int, float]) -> Array:
    """A sum of waves around the ring, of about these sizes by number of periods."""
    total = np.zeros_like(THETA)
    for periods, size in sizes.items():
        total += size * rng.uniform(0.3, 1.3) * np.cos(periods * (THETA - rng.uniform(0, 2 * np.pi)))
    return total


def _turn(angle: Array) -> Array:
    """The same angle in -π to π."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _smooth(x: Array) -> Array:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
