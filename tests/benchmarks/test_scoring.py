"""How fast label maps are scored, beside MedPy and, where they are installed, other libraries.

    .venv/bin/pytest tests/benchmarks/test_scoring.py --benchmark-enable -n 0

Everyone computes Dice, hd, hd95 and assd of three structures on the same made-up heart of ACDC's
size, in one thread; what they call hd95 differs (docs/metrics.md).
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import hearts
import numpy as np
import pytest

from harness.metrics import score

ACDC = (10, 256, 216), (10.0, 1.5625, 1.5625)
LARGE = (16, 512, 512), (8.0, 0.8, 0.8)
LABELS = (1, 2, 3)
NAMES = {"RV": 1, "MYO": 2, "LV": 3}


def made_up_pair(seed: int, shape: Any, spacing_mm: Any) -> Any:
    rng = np.random.default_rng(seed)
    reference = hearts.heart(rng, shape, spacing_mm)
    return reference, hearts.predicted(rng, reference, apex=seed % 4 != 0)


def by_harness(reference, prediction, spacing_mm):
    return [each.value for each in score(reference, prediction, spacing_mm, NAMES)]


def by_medpy(reference, prediction, spacing_mm):
    from medpy.metric import binary

    found = []
    for label in LABELS:
        masks = prediction == label, reference == label
        distances = (
            metric(*masks, voxelspacing=spacing_mm) for metric in (binary.hd, binary.hd95, binary.assd)
        )
        found += [binary.dc(*masks), *distances]
    return found


def by_simpleitk(reference, prediction, spacing_mm):
    import SimpleITK as sitk  # noqa: N813

    found = []
    for label in LABELS:
        contours, distances = [], []
        for labels in (reference, prediction):
            image = sitk.GetImageFromArray((labels == label).astype(np.uint8))
            image.SetSpacing(spacing_mm[::-1])
            contour = sitk.LabelContour(image, fullyConnected=False)
            outline = sitk.SignedMaurerDistanceMap(contour, squaredDistance=False, useImageSpacing=True)
            contours.append(sitk.GetArrayViewFromImage(contour) > 0)
            distances.append(np.abs(sitk.GetArrayViewFromImage(outline)))
        pooled = np.hstack((distances[0][contours[1]], distances[1][contours[0]]))
        a, b = reference == label, prediction == label
        found += [
            2 * np.sum(a & b) / (a.sum() + b.sum()),
            pooled.max(),
            np.percentile(pooled, 95),
            pooled.mean(),
        ]
    return found


def by_monai(reference, prediction, spacing_mm):
    import monai.metrics as monai
    import torch

    maps = (
        torch.as_tensor(np.stack([labels == label for label in (0, *LABELS)])[None].astype(np.uint8))
        for labels in (prediction, reference)
    )
    pair, spacing = tuple(maps), list(spacing_mm)
    return [
        monai.compute_dice(*pair, include_background=False),
        monai.compute_hausdorff_distance(*pair, spacing=spacing),
        monai.compute_hausdorff_distance(*pair, percentile=95, spacing=spacing),
        monai.compute_average_surface_distance(*pair, symmetric=True, spacing=spacing),
    ]


def by_surface_distance(reference, prediction, spacing_mm):
    import surface_distance as peer

    found = []
    for label in LABELS:
        masks = reference == label, prediction == label
        distances = peer.compute_surface_distances(*masks, spacing_mm)
        found += [
            peer.compute_dice_coefficient(*masks),
            peer.compute_robust_hausdorff(distances, 100),
            peer.compute_robust_hausdorff(distances, 95),
            peer.compute_average_surface_distance(distances),
        ]
    return found


PEERS = {
    "harness": (by_harness, "harness", 200),
    "medpy": (by_medpy, "medpy", 5),
    "simpleitk": (by_simpleitk, "SimpleITK", 5),
    "monai": (by_monai, "monai", 10),
    "surface-distance": (by_surface_distance, "surface_distance", 10),
}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("peer", PEERS)
@pytest.mark.benchmark(group="three structures, 10 x 256 x 216")
def test_one_volume_of_acdc_size(benchmark, peer):
    by, package, rounds = PEERS[peer]
    pytest.importorskip(package)
    pair = made_up_pair(1, *ACDC)
    benchmark.pedantic(by, (*pair, ACDC[1]), rounds=rounds, warmup_rounds=1)


@pytest.mark.parametrize("peer", ["harness", "medpy"])
@pytest.mark.benchmark(group="three structures, 16 x 512 x 512")
def test_one_large_volume(benchmark, peer):
    by, _, rounds = PEERS[peer]
    pair = made_up_pair(1, *LARGE)
    benchmark.pedantic(by, (*pair, LARGE[1]), rounds=rounds if peer == "harness" else 1)


@pytest.mark.benchmark(group="times MedPy's speed, in turns")
def test_times_medpys_speed(benchmark, capsys):
    """MedPy and the fast engine in turns, so that a busy machine slows both; values equal.

    Of the fast engine two figures: one heart, with the caches as MedPy left them, and one of a
    stream of hearts, which is how a test set is scored.
    """
    pairs = [made_up_pair(seed, *ACDC) for seed in range(8)]
    reference, prediction = pairs[0]
    by_harness(reference, prediction, ACDC[1])
    slow, lone, stream, turns = [], [], [], iter(pairs * 3)

    def timed(times, by, pair):
        start = time.perf_counter()
        found = by(*pair, ACDC[1])
        times.append(time.perf_counter() - start)
        return found

    def medpy_first():
        pair = next(turns)
        expected = timed(slow, by_medpy, pair)
        assert timed(lone, by_harness, pair) == pytest.approx(expected, rel=1e-14, abs=1e-9)
        return (), {}

    def then_fast():
        for pair in pairs:
            timed(stream, by_harness, pair)

    benchmark.pedantic(then_fast, setup=medpy_first, rounds=24)
    ms = {name: 1e3 * statistics.mean(times) for name, times in zip("MLS", (slow, lone, stream), strict=True)}
    benchmark.extra_info["times_medpy"] = ms["M"] / ms["S"]
    with capsys.disabled():
        print(
            f"\nMedPy {ms['M']:.0f} ms a heart. Harness {ms['S']:.2f} ms in a stream: "
            f"{ms['M'] / ms['S']:.0f} times its speed; {ms['L']:.2f} ms alone: {ms['M'] / ms['L']:.0f} times."
        )
