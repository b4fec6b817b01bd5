"""From the scores of cases to one mean for each metric, structure and phase.

Sums are exact (``math.fsum``), so the order of records and cases moves no bit.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from harness.board.board import NO_PHASE, Cell, Scores
from harness.metrics.definitions import metric
from harness.store.record import CaseScore, Record

Key = tuple[str, str, str]
"""Metric, structure, phase."""

Gathered = Mapping[Key, Sequence[CaseScore]]

Cases = Mapping[str, tuple[str, float]]
"""By case: its patient and its value."""

COUNTED = frozenset({"ok", "prediction-empty", "reference-empty"})
"""States whose value goes into the mean; `both-empty` has none, `error` could not be measured."""


def gather(records: Iterable[Record]) -> dict[Key, list[CaseScore]]:
    """Scores by metric, structure and phase (``"all"`` in a dataset without phases)."""
    found: dict[tuple[str, str, str | None], list[CaseScore]] = {}
    for record in records:
        for score in record.cases:
            key = (score.metric, score.structure, score.phase)
            try:
                found[key].append(score)
            except KeyError:
                found[key] = [score]
    return {(m, s, NO_PHASE if p is None else p): scores for (m, s, p), scores in found.items()}


def layout(
    specs: Iterable[Mapping[str, Any]], keys: Iterable[Key]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The structures of `keys` by label value, and their phases in the dataset's order.

    What was scored but not declared in a spec (only the files tell) follows, sorted.
    """
    labels: dict[str, int] = {}
    order: dict[str, int] = {}
    for spec in specs:
        labels.update(spec["dataset"].get("structures") or {})
        for phase in spec["dataset"].get("phases") or ():
            order.setdefault(phase, len(order))
    keys = set(keys)
    structures = {structure for _, structure, _ in keys}
    phases = {phase for _, _, phase in keys}
    return (
        tuple(sorted(structures, key=lambda s: (s not in labels, labels.get(s, 0), s))),
        tuple(sorted(phases, key=lambda p: (order.get(p, len(order)), p))),
    )


def counts(score: CaseScore) -> bool:
    """Whether the score has a value that goes into a mean."""
    return score.state in COUNTED and score.value is not None and math.isfinite(score.value)


def case_values(scores: Iterable[CaseScore]) -> dict[str, tuple[str, float]]:
    """By case: its patient, and its value averaged over seeds. Cases without any value are absent."""
    # `counts`, written out: a table of 10,000 runs passes here five million times.
    counted = [
        (score.case, score.patient, score.value)
        for score in scores
        if score.state in COUNTED and score.value is not None and math.isfinite(score.value)
    ]
    once = {case: (patient, value) for case, patient, value in counted}
    if len(once) == len(counted):
        return once
    found: dict[str, list[float]] = {case: [] for case in once}
    for case, _, value in counted:
        found[case].append(value)
    return {case: (patient, _mean(found[case])) for case, (patient, _) in once.items()}


def patient_values(cases: Cases) -> dict[str, float]:
    """By patient: the mean over its cases."""
    once = dict(cases.values())
    if len(once) == len(cases):
        return once
    found: dict[str, list[float]] = {patient: [] for patient in once}
    for patient, value in cases.values():
        found[patient].append(value)
    return {patient: _mean(values) for patient, values in found.items()}


def cell(scores: Sequence[CaseScore], cases: Cases | None = None) -> Cell:
    """Mean, spread and counts of one metric of one structure in one phase.

    `cases` are their `case_values`, where these are known already.
    """
    cases = case_values(scores) if cases is None else cases
    values = [value for _, value in cases.values()]
    penalised = {score.case for score in scores if score.state != "ok" and counts(score)}
    uncounted = [] if len(values) == len(scores) else [score for score in scores if not counts(score)]
    excluded = {score.case for score in uncounted}
    return Cell(
        mean=_mean(values) if values else None,
        sd=_sd(patient_values(cases).values()),
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
    """Cells nested by metric, structure and phase, in the given orders; what is absent is left out.

    `values` are the `case_values` of `gathered`, where these are known already.
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
                    made = cell(scores, values.get(key))
                    nested.setdefault(name, {}).setdefault(structure, {})[phase] = made
    return nested


def overall(scores: Scores) -> dict[str, float | None]:
    """By metric: the mean over structures and phases, each cell equal.

    A cell in which nothing was to be measured in any case is left out (its count shows it).
    A cell lost to errors is not: the mean is then None. A metric that is better in neither
    direction, such as a volume, has no overall figure.
    """
    means: dict[str, float | None] = {}
    for name, structures in scores.items():
        if metric(name).higher_is_better is None:
            continue
        cells = [one for phases in structures.values() for one in phases.values()]
        lost = any(one.mean is None and one.errors for one in cells)
        values = [one.mean for one in cells if one.mean is not None]
        means[name] = None if lost or not values else _mean(values)
    return means


def run_means(record: Record, metrics: Collection[str]) -> dict[str, float | None]:
    """`overall` of one run alone, for these metrics."""
    gathered = gather([record])
    structures, phases = layout([record.spec], gathered)
    return overall(scores_of(gathered, metrics, structures, phases))


def _mean(values: Collection[float]) -> float:
    return math.fsum(values) / len(values)


def _sd(values: Collection[float]) -> float | None:
    if len(values) < 2:
        return None
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
