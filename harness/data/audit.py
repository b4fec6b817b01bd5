"""An audit of a dataset: what is odd about it, how bad that is, and what the harness does about it."""

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
"""Few hearts of adults are beyond these, sick ones included: worth a look at spacing and labels."""

NAMED = 6
"""How many cases or patients a finding names before it says how many more."""


@dataclass(frozen=True)
class Finding:
    """One check: its severity, what was found, and what the harness does about it."""

    check: str
    severity: Severity
    found: str
    action: str = ""


@dataclass(frozen=True)
class CaseAudit:
    """What was seen of one case; with an `error`, nothing else was."""

    case: Case
    error: HarnessError | None = None
    affine_off: str = ""
    digest: str = ""
    volumes_ml: Mapping[str, float] = field(default_factory=dict)
    slices: int = 0
    empty_slices: int = 0


def audit(source: Source, advance: Callable[[int, int], None] = lambda done, total: None) -> list[Finding]:
    """Read every case and judge; `advance(done, total)` is called as cases are read."""
    looks = []
    # Reading is unzipping and numpy: both leave the interpreter to other threads.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, look in enumerate(pool.map(lambda case: _look(case, source.structures), source.cases), 1):
            looks.append(look)
            advance(done, len(source.cases))
    good = [look for look in looks if look.error is None]
    return [
        _size(source.cases),
        _ids(source.cases),
        _phases(source.cases, source.phases),
        *_errors(looks),
        _spacing(good),
        _empty_references(good, source.structures),
        _empty_slices(good),
        _identical(good),
        *_hearts(good),
    ]


def _look(case: Case, structures: Mapping[str, int]) -> CaseAudit:
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
        told = affine_spacing(case.files[0])
        if max(abs(a - b) for a, b in zip(told, volume.spacing_mm, strict=True)) > 1e-3:
            affine_off = " x ".join(f"{mm:g}" for mm in told)
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
    told = f" ({', '.join(f'{name} {count}' for name, count in sorted(groups.items()))})" if groups else ""
    return Finding("cases", "ok", f"{len(cases)} cases of {len(patients)} patients{told}")


def _ids(cases: Sequence[Case]) -> Finding:
    doubled = [id_ for id_, count in Counter(case.id for case in cases).items() if count > 1]
    if doubled:
        return Finding("ids", "error", f"used twice: {some(doubled)}", "refuses the dataset")
    return Finding("ids", "ok", "each case has its own")


def _phases(cases: Sequence[Case], phases: Sequence[str]) -> Finding:
    found: dict[str, Counter[str | None]] = defaultdict(Counter)
    for case in cases:
        found[case.patient][case.phase] += 1
    doubled = [f"{p} {phase}" for p, seen in found.items() for phase, n in seen.items() if phase and n > 1]
    missing = [f"{p} {phase}" for p, seen in found.items() for phase in phases if phase not in seen]
    if not doubled and not missing:
        return Finding("phases", "ok", f"every patient has {' and '.join(phases)} once" if phases else "none")
    told = [f"missing: {some(missing)}"] if missing else []
    told += [f"doubled: {some(doubled)}"] if doubled else []
    return Finding(
        "phases", "warning", "; ".join(told), "scores what is there; clinical indices need ED and ES"
    )


def _errors(looks: Sequence[CaseAudit]) -> Iterable[Finding]:
    kinds: dict[str, tuple[type[HarnessError] | None, str]] = {
        "grids": (GridError, "image and reference of every case share a grid"),
        "label values": (LabelError, "all are declared structures or background"),
        "files": (None, "every case can be read"),
    }
    left = [look for look in looks if look.error is not None]
    for check, (kind, fine) in kinds.items():
        bad = [look for look in left if kind is None or isinstance(look.error, kind)]
        left = [look for look in left if look not in bad]
        if bad:
            told = some([str(look.error) for look in bad], "; ", 3)
            yield Finding(check, "error", f"{len(bad)} of {len(looks)} cases: {told}", "refuses the dataset")
        else:
            yield Finding(check, "ok", fine)


def _spacing(looks: Sequence[CaseAudit]) -> Finding:
    off = [look for look in looks if look.affine_off]
    if not off:
        return Finding("spacing", "ok", "header and affine agree where there is one")
    told = ", ".join(dict.fromkeys(look.affine_off for look in off[:NAMED]))
    found = f"the affine of {len(off)} of {len(looks)} images says otherwise than pixdim ({told} mm)"
    return Finding("spacing", "note", found, "takes pixdim")


def _empty_references(looks: Sequence[CaseAudit], structures: Mapping[str, int]) -> Finding:
    empty = [f"{look.case.id} {name}" for look in looks for name in structures if not look.volumes_ml[name]]
    if not empty:
        return Finding("empty references", "ok", "every structure is in every case")
    return Finding("empty references", "warning", some(empty), "scores by the protocol's rule for empty ones")


def _empty_slices(looks: Sequence[CaseAudit]) -> Finding:
    empty, total = sum(look.empty_slices for look in looks), sum(look.slices for look in looks)
    if not empty:
        return Finding("empty slices", "ok", f"every one of {total} slices has a label")
    found = f"{empty} of {total} slices have no label"
    return Finding("empty slices", "note", found, "keeps them: what is predicted there counts")


def _identical(looks: Sequence[CaseAudit]) -> Finding:
    by_digest: dict[str, list[Case]] = defaultdict(list)
    for look in looks:
        by_digest[look.digest].append(look.case)
    same = [cases for cases in by_digest.values() if len(cases) > 1]
    if not same:
        return Finding("identical images", "ok", "none")
    told = some([" = ".join(case.id for case in cases) for cases in same])
    patients = any(len({case.patient for case in cases}) > 1 for cases in same)
    action = "keeps these patients on one side of a split" if patients else "scores both"
    return Finding("identical images", "warning", told, action)


def _hearts(looks: Sequence[CaseAudit]) -> list[Finding]:
    """Volumes that no heart has; nothing for datasets that are not of hearts at ED and ES."""
    volumes: dict[str, dict[tuple[str, str], float]] = defaultdict(dict)
    for look in looks:
        for name, ml in look.volumes_ml.items():
            if look.case.phase is not None:
                volumes[look.case.patient][name, look.case.phase] = ml
    found = {patient: indices(one) for patient, one in volumes.items()}
    if all(value is None for one in found.values() for value in one.values()):
        return []
    grows = [
        f"{patient} {side.upper()} {edv:.0f} → {esv:.0f} mL"
        for patient, one in found.items()
        for side in ("lv", "rv")
        if (edv := one[f"{side}-edv"]) is not None and (esv := one[f"{side}-esv"]) is not None and esv >= edv
    ]
    odd = [
        f"{patient} {name} {value:.0f} {UNITS[name]}"
        for patient, one in found.items()
        for name, (low, high) in PLAUSIBLE.items()
        if (value := one[name]) is not None and not low <= value <= high
    ]
    ranges = ", ".join(f"{name} {low:g}-{high:g} {UNITS[name]}" for name, (low, high) in PLAUSIBLE.items())
    return [
        Finding("ED > ES", "warning", some(grows), "keeps them")
        if grows
        else Finding("ED > ES", "ok", "both ventricles are larger at ED in every patient"),
        Finding("volumes", "warning", some(odd), f"keeps them; usual: {ranges}")
        if odd
        else Finding("volumes", "ok", f"all within {ranges}"),
    ]


def some(names: Sequence[str], separator: str = ", ", most: int = NAMED) -> str:
    """The first few of `names`, and how many more there are."""
    return first_few(names, most, separator)
