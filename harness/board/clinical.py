"""Clinical indices of an entry: those of its predictions beside those of the reference, by patient.

Only for cardiac datasets, with the structures LV, RV and MYO and the phases ED and ES.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from harness.board.aggregate import case_values, patient_values
from harness.board.board import ClinicalPair
from harness.metrics.clinical import UNITS, Agreement, agreement, indices, worst_fraction
from harness.store.record import CaseScore, Record

NEEDED = ("volume", "volume-error")
"""The metrics that a protocol must have: the predicted volume, and its difference from the reference's."""

STRUCTURES = frozenset({"LV", "RV", "MYO"})
PHASES = frozenset({"ED", "ES"})


def applies(metrics: Iterable[str], structures: Iterable[str], phases: Iterable[str]) -> bool:
    """Whether scores of these metrics, structures and phases give clinical indices."""
    return {*NEEDED} <= {*metrics} and {*structures} >= STRUCTURES and {*phases} >= PHASES


def pairs(records: Iterable[Record]) -> list[ClinicalPair]:
    """The indices of every patient of an entry, patients sorted, from volumes averaged over seeds."""
    scores = [score for record in records for score in record.cases if score.metric in NEEDED]
    groups = {score.patient: score.group for score in scores}
    volumes = _by_patient(score for score in scores if score.metric == "volume")
    errors = _by_patient(score for score in scores if score.metric == "volume-error")
    clinical_pairs = []
    for patient in sorted(groups):
        predicted, error = volumes.get(patient, {}), errors.get(patient, {})
        reference = {part: ml - error[part] for part, ml in predicted.items() if part in error}
        of_reference, of_prediction = indices(reference), indices(predicted)
        clinical_pairs += [
            _pair(patient, groups[patient], name, of_reference[name], of_prediction[name]) for name in UNITS
        ]
    return clinical_pairs


def _pair(
    patient: str, group: str | None, name: str, reference: float | None, measured: float | None
) -> ClinicalPair:
    """A pair, penalised if the prediction has no ejection fraction: omitting a structure must not pay."""
    if reference is not None and measured is None and UNITS[name] == "%":
        return ClinicalPair(patient, group, name, reference, worst_fraction(reference), penalised=True)
    return ClinicalPair(patient, group, name, reference, measured)


def agreements(clinical_pairs: Sequence[ClinicalPair]) -> dict[str, Agreement]:
    """The agreement of each index with the reference, over patients; empty without any pair."""
    if not clinical_pairs:
        return {}
    return {
        name: agreement(
            [pair.reference for pair in clinical_pairs if pair.index == name],
            [pair.measured for pair in clinical_pairs if pair.index == name],
        )
        for name in UNITS
    }


def _by_patient(scores: Iterable[CaseScore]) -> dict[str, dict[tuple[str, str], float]]:
    """The mean over seeds, by patient, then by structure and phase."""
    parts: dict[tuple[str, str], list[CaseScore]] = defaultdict(list)
    for score in scores:
        if score.phase is not None:
            parts[score.structure, score.phase].append(score)
    by_patient: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for part, members in parts.items():
        for patient, value in patient_values(case_values(members)).items():
            by_patient[patient][part] = value
    return by_patient
