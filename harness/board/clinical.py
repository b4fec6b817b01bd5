"""Clinical indices of an entry: what its volumes say of each patient, beside what the reference says.

Only for datasets of hearts: with structures LV, RV and MYO and phases ED and ES.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from harness.board.aggregate import case_values, patient_values
from harness.board.board import ClinicalPair
from harness.metrics.clinical import UNITS, Agreement, agreement, indices, worst_fraction
from harness.store.record import CaseScore, Record

NEEDED = ("volume", "volume-error")
"""Metrics that a protocol must have: a predicted volume, and what it is off the reference's."""

STRUCTURES = frozenset({"LV", "RV", "MYO"})
PHASES = frozenset({"ED", "ES"})


def applies(metrics: Iterable[str], structures: Iterable[str], phases: Iterable[str]) -> bool:
    """Whether scores of these metrics, structures and phases give clinical indices."""
    return {*NEEDED} <= {*metrics} and {*structures} >= STRUCTURES and {*phases} >= PHASES


def pairs(records: Iterable[Record]) -> list[ClinicalPair]:
    """The indices of every patient of an entry, patients sorted; a volume is averaged over seeds first."""
    scores = [score for record in records for score in record.cases if score.metric in NEEDED]
    groups = {score.patient: score.group for score in scores}
    volumes = _by_patient(score for score in scores if score.metric == "volume")
    errors = _by_patient(score for score in scores if score.metric == "volume-error")
    found = []
    for patient in sorted(groups):
        measured, off = volumes.get(patient, {}), errors.get(patient, {})
        true = {part: ml - off[part] for part, ml in measured.items() if part in off}
        of_reference, of_prediction = indices(true), indices(measured)
        found += [
            _pair(patient, groups[patient], name, of_reference[name], of_prediction[name]) for name in UNITS
        ]
    return found


def _pair(
    patient: str, group: str | None, name: str, true: float | None, measured: float | None
) -> ClinicalPair:
    """A structure that was missed altogether gives no ejection fraction: leaving it out must not pay."""
    if true is not None and measured is None and UNITS[name] == "%":
        return ClinicalPair(patient, group, name, true, worst_fraction(true), penalised=True)
    return ClinicalPair(patient, group, name, true, measured)


def agreements(found: Sequence[ClinicalPair]) -> dict[str, Agreement]:
    """How well each index agrees with the reference, over patients; empty without any pair."""
    if not found:
        return {}
    return {
        name: agreement(
            [pair.reference for pair in found if pair.index == name],
            [pair.measured for pair in found if pair.index == name],
        )
        for name in UNITS
    }


def _by_patient(scores: Iterable[CaseScore]) -> dict[str, dict[tuple[str, str], float]]:
    """By patient, structure and phase: the mean over seeds."""
    parts: dict[tuple[str, str], list[CaseScore]] = defaultdict(list)
    for score in scores:
        if score.phase is not None:
            parts[score.structure, score.phase].append(score)
    found: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for part, members in parts.items():
        for patient, value in patient_values(case_values(members)).items():
            found[patient][part] = value
    return found
