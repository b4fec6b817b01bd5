"""What another training could have shown: the seeds of each entry are drawn anew in every resample.

A drawn seed is the same for all patients of an entry, and its draws are the entry's own: no two
trainings are paired. What it moves are the means of the cells, by as much as the drawn seeds'
means lie from the mean over all seeds; what differs between seeds patient by patient is in the
patients' own spread.

Few draws are too narrow twice. A bootstrap of S seeds has a variance of (S − 1) / S times what it should
be, and the spread of so few is itself uncertain, which Student's t corrects (both as in
Hesterberg 2015, The American Statistician 69:371-386, for the percentiles). Deviations are therefore
widened by √(S / (S − 1)) · t(0.975, df) / z(0.975). For a difference between two entries of S seeds
each, as in ranks and groups, df is 2 (S − 1): of patients all alike it then has the limits of the
two-sample t interval, which is also what the noise floor (`harness.stats.noise_floor`) is made of. Where only
one spread is at work, in the mean of one entry or against an entry of one seed, df is S − 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from zlib import crc32

import numpy as np

from harness.board.aggregate import Key, gather, scores_of
from harness.board.board import Scores
from harness.stats.arrays import Array
from harness.store.record import Record

SEED = 1
"""Of the draws of seeds; with the name of whose they are."""

_DIGITS = 12

BySeed = Mapping[int, Scores]
"""The cells of an entry with each of its seeds alone; empty with fewer than two."""


def by_seed(
    records: Sequence[Record], metrics: Iterable[str], structures: Iterable[str], phases: Iterable[str]
) -> BySeed:
    """An entry's scores with each of its seeds alone."""
    seeds = sorted({record.spec["seed"] for record in records})
    if len(seeds) < 2:
        return {}
    metrics, structures, phases = tuple(metrics), tuple(structures), tuple(phases)
    return {
        seed: scores_of(gather(r for r in records if r.spec["seed"] == seed), metrics, structures, phases)
        for seed in seeds
    }


def seed_means(entries: Sequence[BySeed], keys: Iterable[Key]) -> dict[Key, Array]:
    """By cell: entries × seeds, the mean with each seed; 0 for an entry that has only one.

    A seed that has no value where others do is put at their mean: it tells nothing of the noise.
    """
    most = max((len(one) for one in entries), default=0)
    found = {}
    for key in keys if most else ():
        means = np.zeros((len(entries), most))
        for e, own in enumerate(entries):
            if known := [mean for scores in own.values() if (mean := _mean(scores, key)) is not None]:
                rest = math.fsum(known) / len(known)
                told = [rest if (mean := _mean(scores, key)) is None else mean for scores in own.values()]
                means[e, : len(own)] = told
        found[key] = means
    return found


def draw(names: Sequence[str], seeds: Sequence[int], resamples: int) -> Array:
    """By how much each seed's weight departs from 1 / S, widened: entries × seeds × resamples.

    They add up to 0 in each resample. An entry's draws depend on its name alone, not on who else is there.
    Widened for differences; `alone` makes them those of single entries.
    """
    drawn = np.zeros((len(names), max(seeds, default=0), resamples))
    for e, (name, number) in enumerate(zip(names, seeds, strict=True)):
        if number > 1:
            # RandomState: NumPy promises never to change its stream (NEP 19).
            stream = np.random.RandomState([SEED, crc32(name.encode())])
            which = stream.randint(0, number, size=(resamples, number))
            times = np.stack([(which == seed).sum(axis=1) for seed in range(number)])
            drawn[e, :number] = (times - 1) * (widening(number, 2 * (number - 1)) / number)
    return drawn


def alone(drawn: Array, seeds: Sequence[int]) -> Array:
    """Draws of entries with so many `seeds`, widened as what only one entry's seeds move must be."""
    factors = [widening(n, n - 1) / widening(n, 2 * (n - 1)) if n > 1 else 1.0 for n in seeds]
    widened: Array = drawn * np.array(factors).reshape(-1, 1, 1)
    return widened


@cache
def widening(seeds: int, df: int) -> float:
    """By how much the deviations of so many seeds are widened; see above."""
    from scipy.stats import norm, t

    z, students = float(norm.ppf(0.975)), float(t.ppf(0.975, df))
    return round(math.sqrt(seeds / (seeds - 1)) * students / z, _DIGITS)


def shifts(means: Array, drawn: Array) -> Array:
    """By how much the drawn seeds move the `means` (… × seeds): … × resamples."""
    moved = np.zeros((*means.shape[:-1], drawn.shape[-1]))
    # Against the first seed, so that equal seeds move nothing, not even the last bit. In a loop,
    # so that the order of the additions is the same on every machine.
    for seed in range(1, means.shape[-1]):
        moved += (means[..., seed] - means[..., 0])[..., None] * drawn[..., seed, :]
    return moved


def _mean(scores: Scores, key: Key) -> float | None:
    name, structure, phase = key
    cell = scores.get(name, {}).get(structure, {}).get(phase)
    return None if cell is None else cell.mean
