"""Checks that a dataset is reproducible, so that finished runs stay valid and a changed file is noticed."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.data.case import Volume
from harness.data.manifest import Manifest, array_digest, build_manifest
from harness.data.source import Source
from harness.testing.check import CheckFailed, attempt
from harness.testing.datasets.fixtures import open_anew, sample_of, source_of, volumes_of
from harness.testing.file_access import opened_files
from harness.testing.subject import Subject


def files(subject: Subject) -> str:
    """A case's `files` exist and include all that read() opens: they show if a cached digest is stale."""
    root = os.path.realpath(str(subject.root))
    total = 0
    for case in sample_of(source_of(subject).cases):
        listed = {os.path.realpath(file) for file in case.files}
        missing = next((file for file in case.files if not Path(file).is_file()), None)
        if missing is not None:
            raise CheckFailed(
                f"{case.id} lists {missing}, which does not exist", "List paths as they are on disk."
            )
        with opened_files() as paths:
            case.read()
        read = {os.path.realpath(path) for path in paths}
        unlisted = sorted(path for path in read - listed if path.startswith(root + os.sep))
        if unlisted:
            raise CheckFailed(
                f"reading {case.id} opens {Path(unlisted[0]).name}, which is not in its files",
                "Write Case(…, files=(image, label)); otherwise a changed file would go unnoticed.",
            )
        total += len(listed)
    return f"{total} files" if total else "no files"


def rereads(subject: Subject) -> str:
    """Reading a case twice gives the same volume."""
    for case, first in volumes_of(subject):
        if _content(first) != _content(case.read()):
            raise CheckFailed(
                f"reading {case.id} twice gives different volumes",
                "Draw noise from a fixed seed per case, and keep augmentation out of the dataset.",
            )
    return f"{len(volumes_of(subject))} cases"


def threads(subject: Subject) -> str:
    """Reading cases in several threads gives the same volumes as reading them one by one."""
    alone = volumes_of(subject)
    remedy = "Open files in read() itself, and share neither handles nor buffers between cases."
    with ThreadPoolExecutor(2 * len(alone)) as pool, attempt("reading cases in several threads", remedy):
        together = list(pool.map(lambda case: _content(case.read()), [case for case, _ in (*alone, *alone)]))
    for (case, volume), content in zip((*alone, *alone), together, strict=True):
        if _content(volume) != content:
            raise CheckFailed(f"{case.id} differs when it is read at the same time as others", remedy)
    return f"{2 * len(alone)} at once"


def manifest(subject: Subject) -> str:
    """Opening the dataset again gives the same manifest, so that finished runs stay valid."""
    first, second = (_manifest(source) for source in (source_of(subject), open_anew(subject)))
    if len(source_of(subject).cases) != len(open_anew(subject).cases) or first.hash != second.hash:
        changed = [a.id for a, b in zip(first.cases, second.cases, strict=False) if a != b]
        raise CheckFailed(
            f"opening it twice gives different manifests{f', first at {changed[0]}' if changed else ''}",
            "Derive id, patient, group and part from the files, in sorted order; use fixed seeds.",
        )
    return first.hash[:12]


def _content(volume: Volume) -> tuple[object, ...]:
    labels = "" if volume.labels is None else array_digest(volume.labels)
    return array_digest(volume.image), labels, repr(volume.spacing_mm)


def _manifest(source: Source) -> Manifest:
    with TemporaryDirectory(prefix="harness-check-") as folder:
        return build_manifest(sample_of(source.cases), source.structures, Path(folder) / "memory.json")
