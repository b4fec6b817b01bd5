"""The scores of entries as arrays of patients × entries × cells, for `harness.stats`."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import fmean

import numpy as np

from harness.board.aggregate import Cases, Gathered, case_values, counts
from harness.metrics.definitions import metric
from harness.stats.arrays import Array, Key
from harness.stats.differences import PairedScores
from harness.stats.patient_scores import PatientScores
from harness.stats.ranking_methods import RankingData
from harness.store.record import CaseScore


def patient_scores(
    entries: Sequence[Mapping[Key, Cases]],
    keys: Iterable[Key],
    seed_means: Mapping[Key, Array] | None = None,
) -> PatientScores:
    """The arrays of `entries`, given as their `case_values` by cell, in their order."""
    keys = tuple(keys)
    patients = tuple(
        sorted({patient for values in entries for cases in values.values() for patient, _ in cases.values()})
    )
    row = {patient: index for index, patient in enumerate(patients)}
    sums, numbers = {}, {}
    for key in keys:
        total, number = np.zeros((2, len(patients), len(entries)))
        for column, values in enumerate(entries):
            for patient, (value, n) in _sums_by_patient(values.get(key, {})).items():
                total[row[patient], column] = value
                number[row[patient], column] = n
        sums[key], numbers[key] = total, number
    return PatientScores(patients, keys, sums, numbers, seed_means or {})


def values_by_patient(scores: PatientScores, gathered: Sequence[Gathered], keys: Collection[Key]) -> Array:
    """Patients × entries × cells, as entries are compared patient by patient; NaN where there is no value.

    An entry that rightly predicts an absent structure as absent (``both-empty``) has a perfect score here,
    so that it wins against an entry that invented the structure. `gathered` holds the entries' scores.
    """
    values = np.full((len(scores.patients), len(gathered), len(keys)), np.nan)
    row = {patient: index for index, patient in enumerate(scores.patients)}
    for c, key in enumerate(keys):
        total, number = scores.sums[key], scores.counts[key]
        np.divide(total, number, out=values[:, :, c], where=number > 0)
        perfect = metric(key[0]).perfect
        for e, by_key in enumerate(gathered):
            cell_scores = by_key.get(key, ())
            if any(score.state == "both-empty" for score in cell_scores):
                for patient, value in _means_with_perfect(cell_scores, perfect).items():
                    if patient in row:
                        values[row[patient], e, c] = value
    return values


def ranking_data(
    scores: PatientScores,
    gathered: Sequence[Gathered],
    entries: Sequence[int],
    higher_is_better: Mapping[str, bool],
) -> RankingData:
    """What the `entries` with these indices are ranked by; `scores` and `gathered` are of all entries."""
    selected = scores.select(entries, higher_is_better)
    by_key = [gathered[entry] for entry in entries]
    values = {name: values_by_patient(selected, by_key, selected.cells(name)) for name in higher_is_better}
    return RankingData(selected, values, dict(higher_is_better))


def paired_scores(
    a: Gathered,
    b: Gathered,
    seeds_a: Sequence[Gathered],
    seeds_b: Sequence[Gathered],
    keys: Sequence[Key],
    patients: Collection[str],
) -> PairedScores:
    """The scores of A and B on `patients`; `seeds_a` and `seeds_b` are those of each seed to resample."""
    gathered = [a, b, *seeds_a, *seeds_b]
    values = [{key: case_values(scores[key]) for key in keys if key in scores} for scores in gathered]
    table = patient_scores(values, keys)
    rows = [row for row, patient in enumerate(table.patients) if patient in patients]
    everything = values_by_patient(table, gathered, keys)[rows]
    complete = everything[:, :2]
    number = np.stack([table.counts[key] for key in keys], axis=-1)[rows, :2] if keys else complete
    # Where neither entry has a value, both were right, and there is nothing to compare.
    complete = np.where((number > 0).any(axis=1, keepdims=True), complete, np.nan)
    paired = np.where((number > 0).all(axis=1, keepdims=True), complete, np.nan)
    by_seed = np.moveaxis(everything[:, 2:], 1, 2)
    of_a, of_b = by_seed[..., : len(seeds_a)], by_seed[..., len(seeds_a) :]
    return PairedScores(tuple(keys), paired, complete, (of_a, of_b))


def _sums_by_patient(cases: Cases) -> dict[str, tuple[float, int]]:
    """The sum and number of each patient's cases; sums are exact, so the order of cases changes no bit."""
    single = {patient: (value, 1) for patient, value in cases.values()}
    if len(single) == len(cases):
        return single
    values: dict[str, list[float]] = {patient: [] for patient in single}
    for patient, value in cases.values():
        values[patient].append(value)
    return {patient: (math.fsum(numbers), len(numbers)) for patient, numbers in values.items()}


def _means_with_perfect(scores: Iterable[CaseScore], perfect: float) -> dict[str, float]:
    """Each patient's mean over cases (a case's over seeds), with `perfect` for ``both-empty``."""
    by_case: dict[tuple[str, str], list[float]] = {}
    for score in scores:
        if counts(score) and score.value is not None:
            by_case.setdefault((score.patient, score.case), []).append(score.value)
        elif score.state == "both-empty":
            by_case.setdefault((score.patient, score.case), []).append(perfect)
    by_patient: dict[str, list[float]] = {}
    for (patient, _), values in by_case.items():
        by_patient.setdefault(patient, []).append(fmean(values))
    return {patient: fmean(values) for patient, values in by_patient.items()}
