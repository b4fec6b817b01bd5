"""One made patient: a heart in a torso, imaged at end-diastole and end-systole."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness_cardiac.acdc import PHASES
from harness_cardiac.anatomy import GROUPS, THETA, Array, Beat, Heart, beats, sample_heart
from harness_cardiac.imaging import Grid, coil_light, rician
from harness_cardiac.painting import Look, draw
from harness_cardiac.torso import Place, torso


@dataclass(frozen=True)
class Patient:
    """Images int16 and labels uint8 ``(z, y, x)`` by phase, on one grid, base first."""

    group: str
    spacing_mm: tuple[float, float, float]
    images: dict[str, NDArray[np.int16]]
    labels: dict[str, NDArray[np.uint8]]
    frames: dict[str, int]
    frame_count: int
    height_cm: float
    weight_kg: float


def make_patient(seed: int, number: int) -> Patient:
    """The patient of this number (from 1); equal arguments give equal arrays."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, number]))
    group = list(GROUPS)[(number - 1) % len(GROUPS)]
    heart = sample_heart(rng, group)
    grid = _sample_grid(rng, heart)
    both = beats(heart, grid.heights, grid.spacing_mm[0])
    axis, place = _sample_place(rng, grid, both[0])
    look = _sample_look(rng, heart)
    body = torso(rng, grid, place)
    light = coil_light(rng, grid)
    sigma, scale = rng.uniform(0.02, 0.05), rng.uniform(120, 420)
    images, labels = {}, {}
    for phase, beat in zip(PHASES, both, strict=True):
        image = body.copy()
        labels[phase] = draw(rng, grid, beat, axis, look, image)
        noisy = rician(rng, image * light, sigma)
        images[phase] = np.rint(noisy * np.float32(scale)).astype(np.int16)
    frame_count = int(rng.integers(20, 36))
    return Patient(
        group=group,
        spacing_mm=grid.spacing_mm,
        images=images,
        labels=labels,
        frames={"ED": 1, "ES": round(frame_count * rng.uniform(0.33, 0.45))},
        frame_count=frame_count,
        height_cm=rng.uniform(155, 190),
        weight_kg=rng.uniform(52, 105),
    )


def _sample_grid(rng: np.random.Generator, heart: Heart) -> Grid:
    matrix = int(rng.integers(192, 257))
    in_plane = round(float(np.clip(rng.uniform(280, 360) / matrix, 0.9, 1.9)), 4)
    narrow = int(np.clip(matrix * rng.uniform(0.78, 1.0), max(154, 215 / in_plane), matrix))
    first = heart.shortening_mm + rng.uniform(-2, 6)
    span = heart.length_mm + rng.uniform(-14, 9) - first
    wanted = rng.choice([6, 7, 8, 9, 10, 11, 12], p=[0.07, 0.1, 0.25, 0.25, 0.2, 0.08, 0.05])
    count = int(np.clip(wanted, max(6, math.ceil(span / 10) + 1), min(12, int(span / 5) + 1)))
    between = float(np.clip(round(2 * span / (count - 1)) / 2, 5, 10))
    shift = rng.normal(0, 0.9, (count, 2)).clip(-2.5, 2.5)
    rows, columns = (narrow, matrix) if rng.random() < 0.4 else (matrix, narrow)
    return Grid((count, rows, columns), (between, in_plane, in_plane), first, shift)


def _sample_place(rng: np.random.Generator, grid: Grid, beat: Beat) -> tuple[Array, Place]:
    """The long axis ``(z, 2)`` as (y, x) in mm, so that both ventricles stay in the central 180 mm."""
    reach = beat.at(grid.heights).rv.max(0)
    y, x = reach * np.sin(THETA), reach * np.cos(THETA)
    middle = np.array([y.max() + y.min(), x.max() + x.min()]) / 2
    half = np.array([np.ptp(y), np.ptp(x)]) / 2
    tilt = rng.uniform(-5, 5, 2)
    free = np.clip(90 - 4 - np.abs(tilt) / 2 - half, 0, 18)
    offset = rng.uniform(-1, 1, 2) * free
    along = (grid.heights / beat.heart.length_mm - 0.5)[:, None]
    return offset - middle + along * tilt, Place((offset[0], offset[1]), (half[0], half[1]))


def _sample_look(rng: np.random.Generator, heart: Heart) -> Look:
    blood = rng.uniform(0.9, 1.1)
    grooves = sum(
        np.exp(2.5 * (np.cos(THETA - heart.rv_angle - side * heart.rv_half_width) - 1)) for side in (-1, 1)
    )
    waves = sum(np.cos(k * THETA + rng.uniform(0, 2 * np.pi)) for k in (1, 2, 3, 5))
    fat_mm = np.clip(rng.uniform(-0.5, 2) + rng.uniform(0, 5) * grooves + 1.2 * waves, 0, 8)
    across = heart.rv_angle + np.pi
    papillaries = tuple(
        (across + side * rng.uniform(0.7, 1.2) + jitter, rng.uniform(0.55, 0.75), rng.uniform(2.5, 5))
        for side in (-1, 1)
        for jitter in rng.uniform(-0.35, 0.35, int(rng.integers(1, 3)))
    )
    return Look(
        blood=blood,
        rv_blood=blood * rng.uniform(0.8, 1.02),
        muscle=rng.uniform(0.34, 0.5),
        fat=rng.uniform(0.85, 1.3),
        fat_mm=fat_mm,
        papillaries=papillaries,
    )
