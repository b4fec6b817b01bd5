"""Each of the ways to find the nearest voxel finds the nearest."""

from __future__ import annotations

import numpy as np
import pytest

from harness.metrics import nearest_voxels

SPACING_MM = (7.0, 1.3, 0.9)


def brute(points, targets, shape, spacing_mm):
    here, there = (np.stack(np.unravel_index(at, shape), axis=1) * spacing_mm for at in (points, targets))
    return np.linalg.norm(here[:, None] - there, axis=2).min(axis=1)


@pytest.mark.parametrize("few", [0, 1 << 30], ids=["tree", "one by one"])
@pytest.mark.parametrize("dense", [0, 1 << 30], ids=["sparse", "transform"])
def test_far_voxels_find_the_nearest_target(monkeypatch, few, dense):
    monkeypatch.setattr(nearest_voxels, "FEW", few)
    monkeypatch.setattr(nearest_voxels, "DENSE", dense)
    rng = np.random.default_rng(1)
    shape = (9, 40, 50)
    for islands in (1, 3, 30):
        points, targets = (np.sort(rng.choice(9 * 40 * 50, n, replace=False)) for n in (islands, 200))
        found = nearest_voxels.far_distances(points, targets, shape, SPACING_MM)
        np.testing.assert_allclose(found, brute(points, targets, shape, SPACING_MM), rtol=1e-14)


@pytest.mark.parametrize(
    "spacing_mm", [(1.0, 1.0), (10.0, 1.5, 1.5), (1.0, 1.0, 1.0), (0.1, 9.0, 9.0), (3.0, 0.2, 77.0)]
)
def test_the_walk_leaves_out_no_nearer_neighbour(spacing_mm):
    """Steps are tried nearest first; a step left out would turn up as a distance too long."""
    offsets = nearest_voxels.Offsets.within_reach(spacing_mm)
    assert np.all(np.diff(offsets.length_mm) >= 0)
    assert len(np.unique(offsets.step, axis=0)) == len(offsets.step)
    sides = [range(-n - 1, n + 2) for n in offsets.reach]
    every = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, len(sides))
    length = np.linalg.norm(every * spacing_mm, axis=1)
    assert np.sum(length < offsets.length_mm[-1] * (1 - 1e-9)) <= len(offsets.step)
    assert set(map(tuple, every[length < offsets.length_mm[-1] * (1 - 1e-9)])) <= set(
        map(tuple, offsets.step)
    )


def test_blocks_of_voxels_walk_as_one(monkeypatch):
    rng = np.random.default_rng(2)
    marks = np.zeros((20, 40, 40), np.uint8)
    marks[9:-9, 9:-9, 9:-9] = rng.random((2, 22, 22)) < 0.1
    places = np.sort(rng.choice(np.flatnonzero(np.ones_like(marks)), 5000))
    places = places[(places > 9 * 1600) & (places < 11 * 1600)]
    offsets = nearest_voxels.Offsets.within_reach((1.0, 1.0, 1.0))
    arguments = (
        marks.reshape(-1),
        places,
        np.ones(len(places), np.uint8),
        offsets.flat(marks.shape),
        offsets.length_mm,
    )
    whole = nearest_voxels.near_distances(*arguments)
    monkeypatch.setattr(nearest_voxels, "BLOCK", 7)
    np.testing.assert_array_equal(nearest_voxels.near_distances(*arguments), whole)
