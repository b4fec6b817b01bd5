"""What surrounds a heart: chest wall, lung, liver, stomach, spine, and vessels bright as ventricles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from harness_cardiac.imaging import Grid, Image, inside, paint, smooth_noise

AIR, LUNG, MUSCLE = 0.02, 0.13, 0.42


@dataclass(frozen=True)
class Place:
    """What the heart leaves free: its centre (y, x) and its half extents (y, x), in mm."""

    centre: tuple[float, float]
    half: tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """What all organs are painted with.

    `y` and `x` are mm from the heart's centre; `s` is 0 at the first slice and 1 after 80 mm;
    `lumps`, `grain` and `bend` are noise of about 20, 4 and 70 mm, so that nothing is round.
    """

    rng: np.random.Generator
    image: Image
    y: Image
    x: Image
    s: Image
    half: tuple[float, float]
    lumps: Image
    grain: Image
    bend: Image
    soft_mm: float
    fat: float

    def disc(self, radius_mm: Image, size_mm: float | Image, value: Image | float) -> None:
        """Paint what is nearer than `size_mm`."""
        paint(self.image, inside(size_mm - radius_mm, self.soft_mm), value)


def torso(rng: np.random.Generator, grid: Grid, place: Place) -> Image:
    """Signal of a body without heart, ``(z, y, x)``; blood is about 1."""
    y, x = grid.axes()
    lumps = smooth_noise(rng, grid.shape, grid.spacing_mm, (30, 20))
    grain = smooth_noise(rng, grid.shape, grid.spacing_mm, (12, 4))
    bend = smooth_noise(rng, grid.shape, grid.spacing_mm, (60, 70))
    scene = Scene(
        rng=rng,
        image=LUNG * (1 + 0.15 * grain + 0.2 * lumps),
        y=y - np.float32(place.centre[0]),
        x=x - np.float32(place.centre[1]),
        s=((grid.heights - grid.heights[0]) / 80).astype(np.float32)[:, None, None],
        half=place.half,
        lumps=lumps,
        grain=grain,
        bend=bend,
        soft_mm=1.2 * grid.spacing_mm[1],
        fat=rng.uniform(1.05, 1.45),
    )
    paint(scene.image, np.clip((grain + 0.4 * lumps - 2.1) * 2, 0, 1), rng.uniform(0.5, 0.9))
    _behind(scene)
    _abdomen(scene)
    _vessels(scene)
    if rng.random() < 0.6:
        _stomach(scene)
    _wall(scene)
    return scene.image


def _behind(scene: Scene) -> None:
    """Soft tissue between heart and spine, and a vertebra in it."""
    rng = scene.rng
    angle, far = rng.uniform(0.5, 1.1), math.hypot(*scene.half) + rng.uniform(30, 45)
    y, x = scene.y - far * math.sin(angle), scene.x - far * math.cos(angle)
    radius = np.hypot(y, x) + 5 * scene.lumps
    scene.disc(radius, rng.uniform(38, 50) - 12 * scene.s, 0.4 + 0.12 * scene.lumps)
    scene.disc(radius, rng.uniform(16, 22), 0.55 * scene.fat * (1 + 0.1 * scene.lumps))
    scene.disc(np.hypot(y - 24, x - 14), 7, 0.95)


def _abdomen(scene: Scene) -> None:
    """Below the diaphragm: the liver towards the chest, then bowel among fat."""
    rng, lumps, grain = scene.rng, scene.lumps, scene.grain
    tissue = rng.uniform(0.36, 0.6) * (1 + 0.06 * grain + 0.04 * lumps)
    paint(tissue, np.clip((grain - 2.0) * 2, 0, 1), 0.95)
    bowel = rng.uniform(0.35, 0.6) * (1 + 0.35 * lumps + 0.1 * grain)
    paint(bowel, np.clip(1.5 - np.abs(lumps) * 5, 0, 1), 0.8 * scene.fat)
    paint(tissue, inside(scene.x + 14 * lumps - rng.uniform(-10, 50), 4), bowel)
    dome = 0.002 * rng.uniform(0.4, 1.5) * (scene.x - rng.uniform(-30, 40)) ** 2
    depth = scene.y - scene.half[0] * rng.uniform(0.65, 0.95) + rng.uniform(0, 26) * scene.s
    paint(scene.image, inside(depth + dome + 3 * scene.bend, scene.soft_mm), tissue)


def _vessels(scene: Scene) -> None:
    """The descending aorta behind the left ventricle, and the inferior vena cava below the right."""
    rng, s = scene.rng, scene.s
    half_y, half_x = scene.half
    angle = rng.uniform(0.5, 1.15)
    reach = math.hypot(half_x * math.cos(angle), half_y * math.sin(angle)) + rng.uniform(16, 32)
    radius = np.hypot(
        scene.x - reach * math.cos(angle) - rng.uniform(0, 10) * s,
        scene.y - reach * math.sin(angle) - rng.uniform(-4, 10) * s,
    )
    size = rng.uniform(8.5, 13)
    scene.disc(radius, size + 2.2, 0.25)
    scene.disc(radius, size, rng.uniform(0.85, 1.15))
    x = scene.x - rng.uniform(-0.5, 0.3) * half_x - rng.uniform(-5, 5) * s
    y = scene.y - half_y - rng.uniform(10, 22) - rng.uniform(0, 10) * s
    radius = np.hypot(x, y * rng.uniform(1, 1.5)) + scene.lumps
    scene.disc(radius, rng.uniform(7, 12), rng.uniform(0.75, 1.05))


def _stomach(scene: Scene) -> None:
    """A wall around bright content, which locally looks like a ventricle."""
    rng = scene.rng
    x = scene.x - rng.uniform(0.1, 0.8) * scene.half[1]
    y = scene.y - scene.half[0] - rng.uniform(30, 44) + 16 * scene.s
    size = rng.uniform(14, 22) * np.clip(scene.s * 2, 0, 1)
    radius = np.hypot(x, y * rng.uniform(0.8, 1.3)) + 2.5 * scene.lumps
    scene.disc(radius, size + 3, 0.8 * scene.fat)
    scene.disc(radius, size, 0.4)
    scene.disc(radius, size * 0.55 - 3 + 2 * scene.lumps, 0.7)


def _wall(scene: Scene) -> None:
    """Muscle with ribs, a layer of fat, and the air outside."""
    rng, image, lumps, grain, soft = scene.rng, scene.image, scene.lumps, scene.grain, scene.soft_mm
    depth = _depth(scene) + 5 * scene.bend
    thick = rng.uniform(10, 18) + 1.5 * lumps
    paint(image, inside(thick - depth, soft), MUSCLE * (1 + 0.12 * grain + 0.15 * lumps))
    ribs = inside(3.5 + 2.5 * lumps - np.abs(depth - 0.5 * thick), 2 * soft)
    paint(image, ribs * np.clip(lumps * 2, 0, 1), 0.75 * scene.fat)
    # A dark line where water meets fat, as in balanced steady-state images.
    paint(image, inside(1.0 - np.abs(depth), soft), 0.15)
    paint(image, inside(-depth, soft), scene.fat * (1 + 0.05 * grain + 0.05 * lumps))
    skin = rng.uniform(8, 26) + 0.6 * lumps
    paint(image, inside(-depth - skin, soft), AIR)


def _depth(scene: Scene) -> Image:
    """Depth in mm below the inner side of the fat: an ellipse that ends a little left of the heart."""
    rng = scene.rng
    wide, high = rng.uniform(125, 160), rng.uniform(145, 200)
    y = scene.y - rng.uniform(0, 30)
    x = scene.x + scene.half[1] + rng.uniform(18, 36) - wide - rng.uniform(-0.2, 0.1) * y
    x = x / (wide * (1 - rng.uniform(0.0, 0.1) * scene.s))
    ratio = np.sqrt(x**2 + (y / high) ** 2)
    return np.asarray((1 - ratio) * min(wide, high), np.float32)
