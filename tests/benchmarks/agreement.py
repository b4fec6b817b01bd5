"""The largest difference between Harness and other libraries where their definitions coincide.

    .venv/bin/python tests/benchmarks/agreement.py [PAIRS]

Made-up hearts with a network's mistakes, clear of the volume's edge, where libraries differ.
Of surface-distance only Dice is defined alike: its surfaces lie between voxels.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "kit"))
import hearts
import test_scoring as peers  # type: ignore[import-not-found]  # beside this script

from harness.metrics import score

SHAPE = (8, 72, 80)
FOUR = ("dice", "hd", "hd95", "assd")
DIRECTED = ("dice", "hd", "hd95-directed", "assd")
PEERS = {
    "MedPy": ("medpy", peers.by_medpy, FOUR),
    "SimpleITK": ("SimpleITK", peers.by_simpleitk, FOUR),
    "MONAI": ("monai", lambda *task: np.concatenate(peers.by_monai(*task)).T.ravel(), DIRECTED),
    "surface-distance": ("surface_distance", peers.by_surface_distance, ("dice", None, None, None)),
}


def pair(seed: int):
    rng = np.random.default_rng(seed)
    spacing_mm = tuple(rng.uniform((5.0, 0.7, 0.7), (10.0, 2.0, 2.0)))
    reference = hearts.heart(rng, SHAPE, spacing_mm)
    prediction = hearts.predicted(rng, reference, islands=seed % 4, apex=seed % 5 != 0)
    cleared = (np.pad(labels[:, 2:-2, 2:-2], 2) for labels in (reference, prediction))
    return (*cleared, spacing_mm)


def main(pairs: int) -> None:
    here = {name: peer for name, peer in PEERS.items() if find_spec(peer[0])}
    largest: dict[tuple[str, str], float] = defaultdict(float)
    compared: dict[str, int] = defaultdict(int)
    for seed in track(range(pairs), "pairs"):
        task = reference, prediction, spacing_mm = pair(seed)
        found = {
            (one.structure, one.metric): one
            for one in score(
                reference, prediction, spacing_mm, peers.NAMES, tuple(dict.fromkeys((*FOUR, *DIRECTED)))
            )
        }
        if any(one.state != "ok" for one in found.values()):
            continue
        for name, (_, by, metrics) in here.items():
            expected = iter(by(*task))
            compared[name] += 1
            for structure in peers.NAMES:
                for metric in metrics:
                    value = next(expected)
                    if metric is not None:
                        off = abs(found[structure, metric].value - float(value))
                        largest[name, metric] = max(largest[name, metric], off)
    table = Table("library", "pairs", *dict.fromkeys((*FOUR, *DIRECTED)), title="largest absolute difference")
    for name in here:
        cells = (largest.get((name, metric)) for metric in dict.fromkeys((*FOUR, *DIRECTED)))
        table.add_row(name, str(compared[name]), *("" if cell is None else f"{cell:.1e}" for cell in cells))
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
