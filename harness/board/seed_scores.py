"""The scores of an entry for each of its seeds alone, from which training variance is estimated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

import numpy as np

from harness.board.aggregate import gather, scores_of
from harness.board.board import Scores
from harness.stats.arrays import Array, Key
from harness.store.record import Record

SeedScores = Mapping[int, Scores]
"""The cells of an entry for each of its seeds alone; empty with fewer than two seeds."""


def scores_by_seed(
    records: Sequence[Record], metrics: Iterable[str], structures: Iterable[str], phases: Iterable[str]
) -> SeedScores:
    """An entry's scores for each of its seeds alone."""
    seeds = sorted({record.spec.seed for record in records})
    if len(seeds) < 2:
        return {}
    metrics, structures, phases = tuple(metrics), tuple(structures), tuple(phases)
    return {
        seed: scores_of(gather(r for r in records if r.spec.seed == seed), metrics, structures, phases)
        for seed in seeds
    }


def seed_means(entries: Sequence[SeedScores], keys: Iterable[Key]) -> dict[Key, Array]:
    """For each cell, entries × seeds: the mean of each seed; 0 for an entry of a single seed.

    A seed without a value gets the mean of the entry's other seeds, which adds no variance.
    """
    most = max((len(by_seed) for by_seed in entries), default=0)
    return {key: _cell_seed_means(entries, key, most) for key in keys} if most else {}


def _cell_seed_means(entries: Sequence[SeedScores], key: Key, most: int) -> Array:
    means = np.zeros((len(entries), most))
    for e, by_seed in enumerate(entries):
        values = [_mean(scores, key) for scores in by_seed.values()]
        if known := [value for value in values if value is not None]:
            replacement = fmean(known)
            means[e, : len(values)] = [replacement if value is None else value for value in values]
    return means


def _mean(scores: Scores, key: Key) -> float | None:
    name, structure, phase = key
    cell = scores.get(name, {}).get(structure, {}).get(phase)
    return None if cell is None else cell.mean
