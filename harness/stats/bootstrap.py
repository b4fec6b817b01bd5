"""A paired bootstrap over patients and seeds.

Patients are drawn with replacement, as many as were tested, and the same ones for every entry and
metric, so that differences between entries stay paired. All cases (ED and ES) and folds of a patient
move together, because they are not independent; nothing is stratified. The seeds of each entry are
drawn too, independently of the other entries' (`harness.stats.seeds`). An interval therefore reflects
variation between patients and, where an entry has two seeds or more, between training runs.

As in challengeR (Wiesenfarth et al. 2021, Sci Rep 11:2369) and, for rankings of biomedical
challenges in general, Maier-Hein et al. 2018 (Nat Commun 9:5217). The limits of intervals are those of
`harness.stats.confidence_intervals`.

Equal input gives equal bits on any machine: the generator's stream is frozen, and the summands are
integers that a float64 holds exactly, in whatever order they are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.stats.arrays import Array, Key
from harness.stats.patient_scores import PatientScores
from harness.stats.seeds import seed_shifts, seed_weights, single_entry_seed_weights

RESAMPLES = 1000
SEED = 0


@dataclass(frozen=True)
class Resampling:
    """The weights of patients and seeds in each resample.

    `patients` (resamples × patients) is how often each patient was drawn. `seeds` (entries × seeds ×
    resamples; see `seeds.seed_weights`) has no seeds where no entry has several; `seed_counts` is the
    number of seeds of each entry.
    """

    patients: Array
    seeds: Array
    seed_counts: tuple[int, ...]

    @classmethod
    def draw(
        cls, patients: int, names: Sequence[str], seed_counts: Sequence[int], resamples: int
    ) -> Resampling:
        """Resamples of this number of patients, for entries with these names and numbers of seeds."""
        several = max(seed_counts, default=0) > 1
        seeds = seed_weights(names, seed_counts if several else [0] * len(names), resamples)
        return cls(patient_weights(patients, resamples), seeds, tuple(seed_counts))

    @classmethod
    def observed(cls, patients: int, entries: int) -> Resampling:
        """One resample that is the observed data: each patient once, all seeds equally."""
        return cls(np.ones((1, patients)), np.zeros((entries, 0, 1)), (1,) * entries)

    def select(self, entries: Sequence[int]) -> Resampling:
        """The same resamples for the entries with these indices."""
        counts = tuple(self.seed_counts[entry] for entry in entries)
        return Resampling(self.patients, self.seeds[list(entries)], counts)

    def for_single_entries(self) -> Resampling:
        """The same resamples, with seeds widened for means of single entries and not for differences."""
        return replace(self, seeds=single_entry_seed_weights(self.seeds, self.seed_counts))


def patient_weights(patients: int, resamples: int = RESAMPLES) -> Array:
    """How often each patient is in each resample: resamples × patients; each row sums to `patients`."""
    # RandomState: NumPy promises never to change its stream (NEP 19), unlike that of newer generators.
    drawn = np.random.RandomState(SEED).randint(0, patients, size=(resamples, patients))
    flat = drawn + patients * np.arange(resamples)[:, None]
    times = np.bincount(flat.ravel(), minlength=patients * resamples)
    return times.reshape(drawn.shape).astype(np.float64)


def weighted_sums(weights: Array, values: Array) -> Array:
    """Sums over patients (first axis of `values`) in each resample, on a new last axis.

    Values are rounded to multiples of a power of two that is chosen so that no sum needs more than 53
    bits: to about 13 digits for 150 patients. Sums are then exact, and have the same bits on any machine.
    """
    flat = values.reshape(len(values), -1)
    largest = weights.sum(axis=1).max(initial=1.0) * np.abs(flat).max(axis=0, initial=0.0)
    shift = 52 - np.frexp(largest)[1]
    integers = np.rint(np.ldexp(flat, shift)).T @ weights.T
    sums: Array = np.ldexp(integers, -shift[:, None])
    return sums.reshape(*values.shape[1:], len(weights))


def cell_means(scores: PatientScores, metric: str, resampling: Resampling) -> tuple[Array, NDArray[np.bool_]]:
    """Means of a metric's cells, entries × cells × resamples, and where there is one (elsewhere 0)."""
    keys = scores.cells(metric)
    sums = weighted_sums(resampling.patients, np.stack([scores.sums[key] for key in keys], axis=-1))
    number = weighted_sums(resampling.patients, np.stack([scores.counts[key] for key in keys], axis=-1))
    means, has_value = divide_counted(sums, number)
    shifts = cell_shifts(scores, keys, resampling.seeds)
    return (means if shifts is None else np.where(has_value, means + shifts, 0.0)), has_value


def cell_shifts(scores: PatientScores, keys: Sequence[Key], seeds: Array) -> Array | None:
    """By how much the drawn `seeds` shift the means of cells, entries × cells × resamples.

    None where no entry has several seeds.
    """
    if seeds.shape[1] < 2 or not all(key in scores.seed_means for key in keys):
        return None
    return seed_shifts(np.stack([scores.seed_means[key] for key in keys], axis=1), seeds[:, None])


def divide_counted(sums: Array, number: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Means, 0 where nothing was counted, and where something was."""
    has_value = number > 0
    return np.divide(sums, number, out=np.zeros_like(sums), where=has_value), has_value


def overall_means(means: Array, has_value: NDArray[np.bool_]) -> tuple[Array, NDArray[np.bool_]]:
    """Means over the cells (second axis) that have a value, each weighted equally, and where there is one."""
    total = np.zeros((means.shape[0], means.shape[2]))
    for c in range(means.shape[1]):
        total += means[:, c]
    return divide_counted(total, has_value.sum(axis=1).astype(float))


def rank_shares(ranks: Array) -> dict[int, float]:
    """The share of resamples in which an entry has each rank, for ranks that it has at all."""
    values, number = np.unique(ranks, return_counts=True)
    return {int(rank): int(count) / len(ranks) for rank, count in zip(values, number, strict=True)}
