"""What a dataset tells before any image is read: its cases, their names, patients, phases and parts."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path

from harness.errors import DataError, HarnessError
from harness.testing.check import CheckFailed
from harness.testing.datasets.given import open_anew, source_of
from harness.testing.opened import opened
from harness.testing.subject import Subject

IMAGES = (".nii", ".nii.gz", ".dcm", ".mha", ".mhd", ".nrrd", ".npy", ".npz", ".h5", ".hdf5", ".png", ".tif")
"""Names of files that hold voxels."""


def opens(subject: Subject) -> str:
    """Called with its folder, the target gives cases, with ids, patients and named structures."""
    try:
        source = open_anew(subject)
    except HarnessError as error:
        if not subject.lent or not isinstance(error, DataError):
            raise
        name = subject.record.name
        raise CheckFailed(
            f"{error.what} (no folder was given)",
            f"Say where it lies: --data {name}=PATH, or roots={{{name!r}: …}}.",
        ) from error
    if not source.cases:
        remedy = (
            "Look for them in the folder that the target is called with; raise DataError where it is wrong."
        )
        raise CheckFailed("cases() gave no case", remedy)
    patients = len({case.patient for case in source.cases})
    return f"{len(source.cases)} cases of {patients} patients; {', '.join(source.structures)}"


def lazy(subject: Subject) -> str:
    """Opening the dataset and listing its cases opens no image."""
    files = {os.path.realpath(file) for case in source_of(subject).cases for file in case.files}
    with opened() as heard:
        open_anew(subject)
    read = [path for path in heard if os.path.realpath(path) in files or path.endswith(IMAGES)]
    if read:
        raise CheckFailed(
            f"listing the cases opened {len(set(read))} files, {Path(read[0]).name} among them",
            "Open images in read() alone: Case(…, read=functools.partial(load, path)).",
        )
    return "no image opened"


def ids(subject: Subject) -> str:
    """Every case has an id of its own."""
    cases = source_of(subject).cases
    doubled = [id_ for id_, count in Counter(case.id for case in cases).items() if count > 1]
    if doubled:
        raise CheckFailed(
            f"{len(doubled)} ids are used twice, {doubled[0]!r} among them",
            "Put patient and phase into the id.",
        )
    return f"{len(cases)} ids"


def phases(subject: Subject) -> str:
    """Phases are those that the dataset declares, and no patient has one twice."""
    source = source_of(subject)
    remedy = (
        f"Declare it in Dataset(phases=…), or correct it; declared: {', '.join(source.phases) or 'none'}."
    )
    seen: Counter[tuple[str, str]] = Counter()
    for case in source.cases:
        if case.phase is None and source.phases:
            raise CheckFailed(f"{case.id} has no phase, though the dataset has", remedy)
        if case.phase is not None and case.phase not in source.phases:
            raise CheckFailed(f"{case.id} has the phase {case.phase!r}", remedy)
        if case.phase is not None:
            seen[case.patient, case.phase] += 1
    doubled = next((pair for pair, count in seen.items() if count > 1), None)
    if doubled:
        raise CheckFailed(
            f"patient {doubled[0]} has {doubled[1]} twice", "Keep one, or tell the scans apart."
        )
    return ", ".join(source.phases) or "none"


def split(subject: Subject) -> str:
    """The official parts, where there are any, have no patient in common."""
    parts: dict[str, set[object]] = defaultdict(set)
    for case in source_of(subject).cases:
        if case.part not in ("train", "test", None):
            raise CheckFailed(f"{case.id} has the part {case.part!r}", "It is 'train', 'test' or None.")
        parts[case.patient].add(case.part)
    torn = [patient for patient, found in parts.items() if len(found) > 1]
    if torn:
        raise CheckFailed(
            f"{len(torn)} patients have cases on both sides, {torn[0]!r} among them",
            "Take the part from the patient; if a patient's name differs by scan, take what is common.",
        )
    told = Counter(next(iter(found)) for found in parts.values())
    if None in told and len(told) > 1:
        raise CheckFailed(f"{told[None]} patients belong to no part, others do", "Give all a part, or none.")
    return f"{told['train']} train, {told['test']} test" if None not in told else "no official split"
