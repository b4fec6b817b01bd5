"""That a dataset is the same tomorrow: runs are found again, and a changed file is noticed."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.data.case import Volume
from harness.data.manifest import Manifest, array_digest, build_manifest
from harness.data.source import Source
from harness.testing.check import CheckFailed, attempt
from harness.testing.datasets.given import open_anew, sample_of, source_of, volumes_of
from harness.testing.opened import opened
from harness.testing.subject import Subject


def files(subject: Subject) -> str:
    """A case's `files` are there, and all that read() opens: they tell when a cached digest is stale."""
    root = os.path.realpath(str(subject.root))
    total = 0
    for case in sample_of(source_of(subject).cases):
        listed = {os.path.realpath(file) for file in case.files}
        lost = next((file for file in case.files if not Path(file).is_file()), None)
        if lost is not None:
            raise CheckFailed(
                f"{case.id} lists {lost}, which is not there", "List paths as they are on disk."
            )
        with opened() as heard:
            case.read()
        read = {os.path.realpath(path) for path in heard}
        left = sorted(path for path in read - listed if path.startswith(root + os.sep))
        if left:
            raise CheckFailed(
                f"reading {case.id} opens {Path(left[0]).name}, which its files don't list",
                "Write Case(…, files=(image, label)): else a changed file would go unnoticed.",
            )
        total += len(listed)
    return f"{total} files" if total else "made in memory"


def rereads(subject: Subject) -> str:
    """A case read twice is the same."""
    for case, first in volumes_of(subject):
        if _content(first) != _content(case.read()):
            raise CheckFailed(
                f"{case.id}, read twice, differs",
                "Draw noise from a seed of the case's own, and keep augmentation out of the dataset.",
            )
    return f"{len(volumes_of(subject))} cases"


def threads(subject: Subject) -> str:
    """Cases read at the same time, in several threads, are what they are alone."""
    alone = volumes_of(subject)
    remedy = "Open a file in read() itself, and share nothing between cases: no handle, no buffer."
    with ThreadPoolExecutor(2 * len(alone)) as pool, attempt("reading cases in several threads", remedy):
        together = list(pool.map(lambda case: _content(case.read()), [case for case, _ in (*alone, *alone)]))
    for (case, volume), content in zip((*alone, *alone), together, strict=True):
        if _content(volume) != content:
            raise CheckFailed(f"{case.id}, read while others are, differs", remedy)
    return f"{2 * len(alone)} at once"


def manifest(subject: Subject) -> str:
    """Opened anew, the dataset has the same manifest, so that finished runs are found again."""
    first, second = (_manifest(source) for source in (source_of(subject), open_anew(subject)))
    if len(source_of(subject).cases) != len(open_anew(subject).cases) or first.hash != second.hash:
        changed = [a.id for a, b in zip(first.cases, second.cases, strict=False) if a != b]
        raise CheckFailed(
            f"a second opening gave another manifest{f', first at {changed[0]}' if changed else ''}",
            "Derive id, patient, group and part from the files, in sorted order; draw from a fixed seed.",
        )
    return first.hash[:12]


def _content(volume: Volume) -> tuple[object, ...]:
    labels = "" if volume.labels is None else array_digest(volume.labels)
    return array_digest(volume.image), labels, repr(volume.spacing_mm)


def _manifest(source: Source) -> Manifest:
    with TemporaryDirectory(prefix="harness-check-") as folder:
        return build_manifest(sample_of(source.cases), source.structures, Path(folder) / "memory.json")
