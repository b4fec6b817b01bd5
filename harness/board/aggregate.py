"""From the scores of cases to one mean for each metric, structure and phase.

Sums are exact (``math.fsum``), so the order of records and cases changes no bit.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from statistics import fmean

from harness.board.board import NO_PHASE, Cell, Scores
from harness.contract.spec import RunSpec
from harness.metrics.definitions import metric
from harness.stats.arrays import Key, sample_sd
from harness.store.record import CaseScore, Record

Gathered = Mapping[Key, Sequence[CaseScore]]
"""The scores of an entry by cell."""

Cases = Mapping[str, tuple[str, float]]
"""The patient and the value of each case."""

COUNTED = frozenset({"ok", "prediction-empty", "reference-empty"})
"""States with a value that counts in a mean: not ``both-empty``, and not ``error``."""


def gather(records: Iterable[Record]) -> dict[Key, list[CaseScore]]:
    """Scores by metric, structure and phase (``"all"`` in a dataset without phases)."""
    by_key: dict[tuple[str, str, str | None], list[CaseScore]] = {}
    for record in records:
        for score in record.cases:
            key = (score.metric, score.structure, score.phase)
            try:
                by_key[key].append(score)
            except KeyError:
                by_key[key] = [score]
    return {(m, s, NO_PHASE if p is None else p): scores for (m, s, p), scores in by_key.items()}


def layout(specs: Iterable[RunSpec], keys: Iterable[Key]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The structures of `keys` by label value, and their phases in the dataset's order.

    Structures and phases that were scored but are not declared in a spec follow, sorted.
    """
    labels: dict[str, int] = {}
    order: dict[str, int] = {}
    for spec in specs:
        labels.update(spec.dataset.structures)
        for phase in spec.dataset.phases:
            order.setdefault(phase, len(order))
    keys = set(keys)
    structures = {structure for _, structure, _ in keys}
    phases = {phase for _, _, phase in keys}
    return (
        tuple(sorted(structures, key=lambda s: (s not in labels, labels.get(s, 0), s))),
        tuple(sorted(phases, key=lambda p: (order.get(p, len(order)), p))),
    )


def counts(score: CaseScore) -> bool:
    """Whether the score has a value that counts in a mean."""
    return score.state in COUNTED and score.value is not None and math.isfinite(score.value)


def case_values(scores: Iterable[CaseScore]) -> dict[str, tuple[str, float]]:
    """The patient of each case, and its value averaged over seeds; without cases that have no value."""
    # The condition of `counts`, inlined: a table of 10,000 runs evaluates it five million times.
    counted = [
        (score.case, score.patient, score.value)
        for score in scores
        if score.state in COUNTED and score.value is not None and math.isfinite(score.value)
    ]
    single = {case: (patient, value) for case, patient, value in counted}
    if len(single) == len(counted):
        return single
    values: dict[str, list[float]] = {case: [] for case in single}
    for case, _, value in counted:
        values[case].append(value)
    return {case: (patient, fmean(values[case])) for case, (patient, _) in single.items()}


def patient_values(cases: Cases) -> dict[str, float]:
    """The mean over the cases of each patient."""
    single = dict(cases.values())
    if len(single) == len(cases):
        return single
    values: dict[str, list[float]] = {patient: [] for patient in single}
    for patient, value in cases.values():
        values[patient].append(value)
    return {patient: fmean(numbers) for patient, numbers in values.items()}


def cell(scores: Sequence[CaseScore], cases: Cases | None = None) -> Cell:
    """Mean, spread and counts of one metric of one structure in one phase.

    `cases` are the `case_values` of the scores, if they are already known.
    """
    cases = case_values(scores) if cases is None else cases
    values = [value for _, value in cases.values()]
    penalised = {score.case for score in scores if score.state != "ok" and counts(score)}
    uncounted = [] if len(values) == len(scores) else [score for score in scores if not counts(score)]
    excluded = {score.case for score in uncounted}
    return Cell(
        mean=fmean(values) if values else None,
        sd=sample_sd(patient_values(cases).values()),
        n=len(values),
        penalised=len(penalised),
        excluded=len(excluded),
        errors=len({score.case for score in uncounted if score.state != "both-empty"}),
        cases=len(cases.keys() | excluded),
    )


def scores_of(
    gathered: Gathered,
    metrics: Iterable[str],
    structures: Iterable[str],
    phases: Iterable[str],
    values: Mapping[Key, Cases] | None = None,
) -> Scores:
    """Cells nested by metric, structure and phase, in the given orders; without cells that have no scores.

    `values` are the `case_values` of `gathered`, if they are already known.
    """
    values = {} if values is None else values
    phases = tuple(phases)
    structures = tuple(structures)
    nested: dict[str, dict[str, dict[str, Cell]]] = {}
    for name in metrics:
        for structure in structures:
            for phase in phases:
                key = (name, structure, phase)
                scores = gathered.get(key)
                if scores:
                    by_phase = nested.setdefault(name, {}).setdefault(structure, {})
                    by_phase[phase] = cell(scores, values.get(key))
    return nested


def overall(scores: Scores) -> dict[str, float | None]:
    """The overall mean of each metric: over structures and phases, each weighted equally.

    A cell in which every case is ``both-empty`` is left out. If a cell has no mean because of errors, the
    overall mean is None. A metric without a better direction, such as a volume, has no overall mean.
    """
    means: dict[str, float | None] = {}
    for name, structures in scores.items():
        if metric(name).higher_is_better is None:
            continue
        cells = [cell for phases in structures.values() for cell in phases.values()]
        lost = any(cell.mean is None and cell.errors for cell in cells)
        values = [cell.mean for cell in cells if cell.mean is not None]
        means[name] = None if lost or not values else fmean(values)
    return means


def run_means(record: Record, metrics: Collection[str]) -> dict[str, float | None]:
    """The overall means of a single run, for these metrics."""
    gathered = gather([record])
    structures, phases = layout([record.spec], gathered)
    return overall(scores_of(gathered, metrics, structures, phases))
