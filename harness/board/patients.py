"""Scores as arrays of patients × entries × cells: what is resampled, ranked and tested by patient."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.board.aggregate import Cases, Gathered, Key, counts
from harness.metrics.definitions import metric
from harness.stats.arrays import Array
from harness.store.record import CaseScore


@dataclass(frozen=True)
class Patients:
    """Scores of entries on the same patients.

    `names` are the patients, sorted; `keys` the cells. `sums` and `counts`, by cell: arrays of
    patients × entries with the sum over a patient's cases and their number, 0 where none has a
    value. Their quotient over patients is a cell's mean. `by_seed`, by cell where some entry has
    several seeds: entries × seeds, the mean with each seed alone (see `seeds.seed_means`).
    """

    names: tuple[str, ...]
    keys: tuple[Key, ...]
    sums: Mapping[Key, Array]
    counts: Mapping[Key, Array]
    by_seed: Mapping[Key, Array] = field(default_factory=dict)

    def cells(self, name: str) -> list[Key]:
        """The cells of a metric."""
        return [key for key in self.keys if key[0] == name]


def patients_of(entries: Sequence[Mapping[Key, Cases]], keys: Iterable[Key]) -> Patients:
    """The arrays of `entries` (by cell, their `case_values`), in their order."""
    keys = tuple(keys)
    found = {patient for values in entries for cases in values.values() for patient, _ in cases.values()}
    names = tuple(sorted(found))
    place = {name: row for row, name in enumerate(names)}
    sums, numbers = {}, {}
    for key in keys:
        total, number = np.zeros((2, len(names), len(entries)))
        for column, values in enumerate(entries):
            for patient, (value, n) in _by_patient(values.get(key, {})).items():
                total[place[patient], column] = value
                number[place[patient], column] = n
        sums[key], numbers[key] = total, number
    return Patients(names, keys, sums, numbers)


def judged(table: Patients, gathered: Sequence[Gathered], keys: Collection[Key]) -> Array:
    """Values by patient, entry and cell as entries are compared patient by patient; NaN where there is none.

    A structure that an entry rightly found to be absent (``both-empty``) is a perfect score here:
    against an entry that invented it, it must win. `gathered` are the scores of the entries.
    """
    values = np.full((len(table.names), len(gathered), len(keys)), np.nan)
    place = {name: row for row, name in enumerate(table.names)}
    for c, key in enumerate(keys):
        total, number = table.sums[key], table.counts[key]
        np.divide(total, number, out=values[:, :, c], where=number > 0)
        perfect = metric(key[0]).perfect
        for e, own in enumerate(gathered):
            scores = own.get(key, ())
            if any(score.state == "both-empty" for score in scores):
                for patient, value in _with_perfect(scores, perfect).items():
                    if patient in place:
                        values[place[patient], e, c] = value
    return values


def over_cells(values: Array) -> Array:
    """The mean over the cells (last axis) that have a value; NaN where none has."""
    has = ~np.isnan(values)
    total, number = np.zeros(values.shape[:-1]), has.sum(axis=-1)
    for c in range(values.shape[-1]):
        total += np.where(has[..., c], values[..., c], 0.0)
    means: Array = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return means


def _by_patient(cases: Cases) -> dict[str, tuple[float, int]]:
    """Sum and number of a patient's cases; the sum is exact, so that their order moves nothing."""
    once = {patient: (value, 1) for patient, value in cases.values()}
    if len(once) == len(cases):
        return once
    found: dict[str, list[float]] = {patient: [] for patient in once}
    for patient, value in cases.values():
        found[patient].append(value)
    return {patient: (math.fsum(values), len(values)) for patient, values in found.items()}


def _with_perfect(scores: Iterable[CaseScore], perfect: float) -> dict[str, float]:
    by_case: dict[tuple[str, str], list[float]] = {}
    for score in scores:
        if counts(score) and score.value is not None:
            by_case.setdefault((score.patient, score.case), []).append(score.value)
        elif score.state == "both-empty":
            by_case.setdefault((score.patient, score.case), []).append(perfect)
    by_patient: dict[str, list[float]] = {}
    for (patient, _), values in by_case.items():
        by_patient.setdefault(patient, []).append(math.fsum(values) / len(values))
    return {patient: math.fsum(values) / len(values) for patient, values in by_patient.items()}
