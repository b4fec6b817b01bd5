"""A paired bootstrap over patients and seeds.

What is drawn, with replacement, are patients: as many as were tested, and the same ones for
every entry and metric, so that differences between entries stay paired. All cases (ED and ES)
and folds of a patient move together, for they are not independent; nothing is stratified. Beside
them the seeds of each entry are drawn, on its own (`harness.board.seeds`). The interval therefore says
what other patients and, where an entry has two seeds or more, another training could have shown.

As in challengeR (Wiesenfarth et al. 2021, Sci Rep 11:2369) and, for rankings of biomedical
challenges in general, Maier-Hein et al. 2018 (Nat Commun 9:5217). Limits are those of
`harness.stats.confidence_intervals`.

Equal input gives equal bits on any machine: the draws are from a generator whose stream is
frozen, and sums are of integers that a float64 holds exactly, whatever order they are added in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.board import seeds
from harness.board.aggregate import Key
from harness.board.patients import Patients
from harness.stats.arrays import Array

RESAMPLES = 1000
SEED = 0


@dataclass(frozen=True)
class Draws:
    """Of each resample: how often each patient is in it, and how each seed's weight departs.

    `patients` are resamples × patients, `seeds` (see `seeds.draw`) entries × seeds × resamples, with
    no seeds at all where no entry has several; `numbers` says how many each entry has.
    """

    patients: Array
    seeds: Array
    numbers: tuple[int, ...]

    @classmethod
    def of(cls, patients: int, names: Sequence[str], numbers: Sequence[int], resamples: int) -> Draws:
        """For so many patients, and entries with these names and numbers of seeds."""
        several = max(numbers, default=0) > 1
        drawn = seeds.draw(names, numbers if several else [0] * len(names), resamples)
        return cls(weights(patients, resamples), drawn, tuple(numbers))

    @classmethod
    def none(cls, patients: int, entries: int) -> Draws:
        """One resample that is what there is."""
        return cls(np.ones((1, patients)), np.zeros((entries, 0, 1)), (1,) * entries)

    def entries(self, columns: Sequence[int]) -> Draws:
        """The same draws of some of the entries."""
        return Draws(self.patients, self.seeds[list(columns)], tuple(self.numbers[c] for c in columns))

    def of_means(self) -> Draws:
        """The same draws, with seeds as they move the mean of one entry and not a difference of two."""
        return replace(self, seeds=seeds.alone(self.seeds, self.numbers))


def weights(patients: int, resamples: int = RESAMPLES) -> Array:
    """How often each patient is in each resample: resamples × patients; each row sums to `patients`."""
    # RandomState: NumPy promises never to change its stream (NEP 19), which newer generators don't.
    drawn = np.random.RandomState(SEED).randint(0, patients, size=(resamples, patients))
    flat = drawn + patients * np.arange(resamples)[:, None]
    counted = np.bincount(flat.ravel(), minlength=patients * resamples)
    return counted.reshape(drawn.shape).astype(np.float64)


def weighted_sums(weight: Array, values: Array) -> Array:
    """Sums over patients (first axis of `values`) in each resample, on a new last axis; same bits anywhere.

    Values are rounded to multiples of a power of two, so chosen that no sum needs more than 53
    bits: to about 13 digits for 150 patients.
    """
    flat = values.reshape(len(values), -1)
    most = weight.sum(axis=1).max(initial=1.0) * np.abs(flat).max(axis=0, initial=0.0)
    shift = 52 - np.frexp(most)[1]
    whole = np.rint(np.ldexp(flat, shift)).T @ weight.T
    sums: Array = np.ldexp(whole, -shift[:, None])
    return sums.reshape(*values.shape[1:], len(weight))


def cell_means(table: Patients, name: str, draws: Draws) -> tuple[Array, NDArray[np.bool_]]:
    """Means of a metric's cells, entries × cells × resamples, and where there is one (elsewhere 0)."""
    keys = table.cells(name)
    sums = weighted_sums(draws.patients, np.stack([table.sums[key] for key in keys], axis=-1))
    number = weighted_sums(draws.patients, np.stack([table.counts[key] for key in keys], axis=-1))
    means, has = ratio(sums, number)
    moved = seed_shifts(table, keys, draws.seeds)
    return (means if moved is None else np.where(has, means + moved, 0.0)), has


def seed_shifts(table: Patients, keys: Sequence[Key], drawn: Array) -> Array | None:
    """By how much the drawn seeds move the cells, entries × cells × resamples; None where they move none."""
    if drawn.shape[1] < 2 or not all(key in table.by_seed for key in keys):
        return None
    return seeds.shifts(np.stack([table.by_seed[key] for key in keys], axis=1), drawn[:, None])


def ratio(sums: Array, number: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Means where there is something to average, else 0; and where there is."""
    has = number > 0
    return np.divide(sums, number, out=np.zeros_like(sums), where=has), has


def overall_means(means: Array, has: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """Means over the cells (second axis) that have a value, each equal, as `aggregate.overall` has them."""
    total = np.zeros((means.shape[0], means.shape[2]))
    for c in range(means.shape[1]):
        total += means[:, c]
    return ratio(total, has.sum(axis=1).astype(float))


def rank_shares(ranks: Array) -> dict[int, float]:
    """The share of resamples in which an entry takes each rank that it takes at all."""
    taken, number = np.unique(ranks, return_counts=True)
    return {int(rank): int(count) / len(ranks) for rank, count in zip(taken, number, strict=True)}
