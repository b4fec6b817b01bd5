"""An audit of a dataset: its findings, how severe each one is, and what the harness does about it."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from harness.data.case import Case
from harness.data.manifest import array_digest, read_checked
from harness.data.nifti import ENDINGS, GridError, LabelError, affine_spacing
from harness.data.source import Source
from harness.errors import HarnessError, first_few
from harness.metrics.clinical import UNITS, indices

Severity = Literal["ok", "note", "warning", "error"]

PLAUSIBLE: Mapping[str, tuple[float, float]] = {
    "lv-edv": (40, 450),
    "rv-edv": (40, 450),
    "lv-ef": (5, 85),
    "rv-ef": (5, 85),
    "myo-mass": (30, 350),
}
"""Ranges of almost all adult hearts, also diseased ones. Values outside suggest wrong spacing or labels."""

NAMED = 6
"""How many cases or patients a finding lists before it only counts the rest."""


@dataclass(frozen=True)
class Finding:
    """One check: its severity, what was found, and what the harness does about it."""

    check: str
    severity: Severity
    found: str
    action: str = ""


@dataclass(frozen=True)
class CaseAudit:
    """What the audit of one case found; with an `error`, the other fields are empty."""

    case: Case
    error: HarnessError | None = None
    affine_off: str = ""
    digest: str = ""
    volumes_ml: Mapping[str, float] = field(default_factory=dict)
    slices: int = 0
    empty_slices: int = 0


def audit(source: Source, advance: Callable[[int, int], None] = lambda done, total: None) -> list[Finding]:
    """Read and check every case; `advance(done, total)` is called as cases are read."""
    audits = []
    # Decompression and numpy both release the interpreter lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, audited in enumerate(
            pool.map(lambda case: _audit_case(case, source.structures), source.cases), 1
        ):
            audits.append(audited)
            advance(done, len(source.cases))
    readable = [audited for audited in audits if audited.error is None]
    return [
        _size(source.cases),
        _ids(source.cases),
        _phases(source.cases, source.phases),
        *_errors(audits),
        _spacing(readable),
        _empty_references(readable, source.structures),
        _empty_slices(readable),
        _identical(readable),
        *_hearts(readable),
    ]


def _audit_case(case: Case, structures: Mapping[str, int]) -> CaseAudit:
    try:
        volume = read_checked(case, structures)
    except HarnessError as error:
        return CaseAudit(case, error)
    labels = volume.labels
    assert labels is not None
    ml = float(np.prod(volume.spacing_mm)) / 1000
    counts = np.bincount(labels.ravel(), minlength=256)
    affine_off = ""
    if case.files and case.files[0].name.endswith(ENDINGS):
        from_affine = affine_spacing(case.files[0])
        if max(abs(a - b) for a, b in zip(from_affine, volume.spacing_mm, strict=True)) > 1e-3:
            affine_off = " x ".join(f"{mm:g}" for mm in from_affine)
    return CaseAudit(
        case,
        affine_off=affine_off,
        digest=array_digest(volume.image.astype(np.float32, copy=False)),
        volumes_ml={name: float(counts[value]) * ml for name, value in structures.items()},
        slices=len(labels),
        empty_slices=int((~labels.any(axis=(1, 2))).sum()),
    )


def _size(cases: Sequence[Case]) -> Finding:
    patients = {case.patient: case.group for case in cases}
    groups = Counter(group for group in patients.values() if group is not None)
    by_group = (
        f" ({', '.join(f'{name} {count}' for name, count in sorted(groups.items()))})" if groups else ""
    )
    return Finding("cases", "ok", f"{len(cases)} cases of {len(patients)} patients{by_group}")


def _ids(cases: Sequence[Case]) -> Finding:
    duplicates = [id_ for id_, count in Counter(case.id for case in cases).items() if count > 1]
    if duplicates:
        return Finding("ids", "error", f"duplicate: {some(duplicates)}", "refuses the dataset")
    return Finding("ids", "ok", "every id is unique")


def _phases(cases: Sequence[Case], phases: Sequence[str]) -> Finding:
    counts: dict[str, Counter[str | None]] = defaultdict(Counter)
    for case in cases:
        counts[case.patient][case.phase] += 1
    duplicates = [
        f"{p} {phase}" for p, by_phase in counts.items() for phase, n in by_phase.items() if phase and n > 1
    ]
    missing = [f"{p} {phase}" for p, by_phase in counts.items() for phase in phases if phase not in by_phase]
    if not duplicates and not missing:
        return Finding("phases", "ok", f"every patient has {' and '.join(phases)} once" if phases else "none")
    problems = [f"missing: {some(missing)}"] if missing else []
    problems += [f"duplicate: {some(duplicates)}"] if duplicates else []
    return Finding(
        "phases",
        "warning",
        "; ".join(problems),
        "scores the cases there are; clinical indices need ED and ES",
    )


def _errors(audits: Sequence[CaseAudit]) -> Iterable[Finding]:
    kinds: dict[str, tuple[type[HarnessError] | None, str]] = {
        "grids": (GridError, "image and reference of every case lie on the same grid"),
        "label values": (LabelError, "all values are declared structures or background"),
        "files": (None, "every case can be read"),
    }
    remaining = [audited for audited in audits if audited.error is not None]
    for check, (kind, fine) in kinds.items():
        bad = [audited for audited in remaining if kind is None or isinstance(audited.error, kind)]
        remaining = [audited for audited in remaining if audited not in bad]
        if bad:
            errors = some([str(audited.error) for audited in bad], "; ", 3)
            yield Finding(
                check, "error", f"{len(bad)} of {len(audits)} cases: {errors}", "refuses the dataset"
            )
        else:
            yield Finding(check, "ok", fine)


def _spacing(audits: Sequence[CaseAudit]) -> Finding:
    off = [audited for audited in audits if audited.affine_off]
    if not off:
        return Finding("spacing", "ok", "header and affine agree")
    sizes = ", ".join(dict.fromkeys(audited.affine_off for audited in off[:NAMED]))
    found = f"in {len(off)} of {len(audits)} images the affine ({sizes} mm) disagrees with pixdim"
    return Finding("spacing", "note", found, "uses pixdim")


def _empty_references(audits: Sequence[CaseAudit], structures: Mapping[str, int]) -> Finding:
    empty = [
        f"{audited.case.id} {name}"
        for audited in audits
        for name in structures
        if not audited.volumes_ml[name]
    ]
    if not empty:
        return Finding("empty references", "ok", "every case has every structure")
    return Finding(
        "empty references", "warning", some(empty), "scores them by the protocol's rule for empty structures"
    )


def _empty_slices(audits: Sequence[CaseAudit]) -> Finding:
    empty, total = sum(audited.empty_slices for audited in audits), sum(audited.slices for audited in audits)
    if not empty:
        return Finding("empty slices", "ok", f"all {total} slices have a label")
    found = f"{empty} of {total} slices have no label"
    return Finding("empty slices", "note", found, "keeps them: predictions in them count")


def _identical(audits: Sequence[CaseAudit]) -> Finding:
    by_digest: dict[str, list[Case]] = defaultdict(list)
    for audited in audits:
        by_digest[audited.digest].append(audited.case)
    same = [cases for cases in by_digest.values() if len(cases) > 1]
    if not same:
        return Finding("identical images", "ok", "none")
    groups = some([" = ".join(case.id for case in cases) for cases in same])
    patients = any(len({case.patient for case in cases}) > 1 for cases in same)
    action = "keeps these patients in the same set of a split" if patients else "scores both"
    return Finding("identical images", "warning", groups, action)


def _hearts(audits: Sequence[CaseAudit]) -> list[Finding]:
    """Implausible volumes; no finding for datasets without hearts at ED and ES."""
    volumes: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for audited in audits:
        for name, ml in audited.volumes_ml.items():
            if audited.case.phase is not None:
                volumes[audited.case.patient][name, audited.case.phase] = ml
    clinical = {patient: indices(patient_volumes) for patient, patient_volumes in volumes.items()}
    if all(value is None for index in clinical.values() for value in index.values()):
        return []
    grows = [
        f"{patient} {side.upper()} {edv:.0f} → {esv:.0f} mL"
        for patient, index in clinical.items()
        for side in ("lv", "rv")
        if (edv := index[f"{side}-edv"]) is not None
        and (esv := index[f"{side}-esv"]) is not None
        and esv >= edv
    ]
    odd = [
        f"{patient} {name} {value:.0f} {UNITS[name]}"
        for patient, index in clinical.items()
        for name, (low, high) in PLAUSIBLE.items()
        if (value := index[name]) is not None and not low <= value <= high
    ]
    ranges = ", ".join(f"{name} {low:g}-{high:g} {UNITS[name]}" for name, (low, high) in PLAUSIBLE.items())
    return [
        Finding("ED > ES", "warning", some(grows), "keeps them")
        if grows
        else Finding("ED > ES", "ok", "both ventricles are larger at ED than at ES in every patient"),
        Finding("volumes", "warning", some(odd), f"keeps them; plausible: {ranges}")
        if odd
        else Finding("volumes", "ok", f"all within {ranges}"),
    ]


def some(names: Sequence[str], separator: str = ", ", most: int = NAMED) -> str:
    """The first few of `names`, and the number of the others."""
    return first_few(names, most, separator)
