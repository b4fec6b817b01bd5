"""Checks of a dataset before any image is read: cases, ids, patients, phases and official split."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path

from harness.errors import DataError, HarnessError
from harness.testing.check import CheckFailed
from harness.testing.datasets.fixtures import open_anew, source_of
from harness.testing.file_access import opened_files
from harness.testing.subject import Subject

IMAGES = (".nii", ".nii.gz", ".dcm", ".mha", ".mhd", ".nrrd", ".npy", ".npz", ".h5", ".hdf5", ".png", ".tif")
"""File name suffixes of images."""


def opens(subject: Subject) -> str:
    """Called with its folder, the target returns cases with ids and patients, and has named structures."""
    try:
        source = open_anew(subject)
    except HarnessError as error:
        if not subject.lent or not isinstance(error, DataError):
            raise
        name = subject.record.name
        raise CheckFailed(
            f"{error.what} (no folder was given)",
            f"Give the dataset's folder: --data {name}=PATH, or roots={{{name!r}: …}}.",
        ) from error
    if not source.cases:
        remedy = "Search the folder that the target is called with; raise DataError if it is the wrong one."
        raise CheckFailed("cases() returned no cases", remedy)
    patients = len({case.patient for case in source.cases})
    return f"{len(source.cases)} cases of {patients} patients; {', '.join(source.structures)}"


def lazy(subject: Subject) -> str:
    """Opening the dataset and listing its cases opens no image."""
    files = {os.path.realpath(file) for case in source_of(subject).cases for file in case.files}
    with opened_files() as paths:
        open_anew(subject)
    read = [path for path in paths if os.path.realpath(path) in files or path.endswith(IMAGES)]
    if read:
        raise CheckFailed(
            f"listing the cases opened {len(set(read))} files, for example {Path(read[0]).name}",
            "Open images only in read(): Case(…, read=functools.partial(load, path)).",
        )
    return "no image opened"


def ids(subject: Subject) -> str:
    """Every case has a unique id."""
    cases = source_of(subject).cases
    duplicates = [id_ for id_, count in Counter(case.id for case in cases).items() if count > 1]
    if duplicates:
        raise CheckFailed(
            f"{len(duplicates)} ids are not unique, for example {duplicates[0]!r}",
            "Include patient and phase in the id.",
        )
    return f"{len(cases)} ids"


def phases(subject: Subject) -> str:
    """All phases are declared by the dataset, and no patient has a phase twice."""
    source = source_of(subject)
    remedy = f"Declare it in Dataset(phases=…) or correct it; declared: {', '.join(source.phases) or 'none'}."
    scans: Counter[tuple[str, str]] = Counter()
    for case in source.cases:
        if case.phase is None and source.phases:
            raise CheckFailed(f"{case.id} has no phase, although the dataset declares phases", remedy)
        if case.phase is not None and case.phase not in source.phases:
            raise CheckFailed(f"{case.id} has the phase {case.phase!r}", remedy)
        if case.phase is not None:
            scans[case.patient, case.phase] += 1
    duplicate = next((pair for pair, count in scans.items() if count > 1), None)
    if duplicate:
        raise CheckFailed(
            f"patient {duplicate[0]} has {duplicate[1]} twice",
            "Keep one of the scans, or give them different patients or phases.",
        )
    return ", ".join(source.phases) or "none"


def split(subject: Subject) -> str:
    """The sets of the official split, if there is one, have no patient in common."""
    parts: dict[str, set[object]] = defaultdict(set)
    for case in source_of(subject).cases:
        if case.part not in ("train", "test", None):
            raise CheckFailed(f"{case.id} has the part {case.part!r}", "Use 'train', 'test' or None.")
        parts[case.patient].add(case.part)
    in_both = [patient for patient, names in parts.items() if len(names) > 1]
    if in_both:
        raise CheckFailed(
            f"{len(in_both)} patients have cases in both sets, for example {in_both[0]!r}",
            "Derive `part` from the patient; if a patient's name differs by scan, use what is common.",
        )
    counts = Counter(next(iter(names)) for names in parts.values())
    if None in counts and len(counts) > 1:
        raise CheckFailed(
            f"{counts[None]} patients have no part, while others have one",
            "Give all patients a part, or none.",
        )
    return f"{counts['train']} train, {counts['test']} test" if None not in counts else "no official split"
