"""The manifest of a dataset: its cases by content, read and checked once and cached until a file changes.

The manifest's hash covers identity and content of every case, but neither paths nor compression,
so a run's key is the same on every machine with the same data.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.case import Case, Part, Volume
from harness.data.nifti import GridError, LabelError
from harness.errors import DataError, HarnessError
from harness.plugins.blame import explain
from harness.store.atomic import digest, write_json


@dataclass(frozen=True)
class CaseInfo:
    """One case of a manifest. `shape` and `spacing_mm` are ``(z, y, x)``."""

    id: str
    patient: str
    phase: str | None
    group: str | None
    part: Part | None
    channels: int
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    image_digest: str
    labels_digest: str


@dataclass(frozen=True)
class Manifest:
    """All cases of a dataset, sorted by id."""

    cases: tuple[CaseInfo, ...]

    @cached_property
    def hash(self) -> str:
        """SHA-256 over every field of every case."""
        return digest([asdict(case) for case in self.cases])

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """All patients, sorted."""
        return tuple(sorted({case.patient for case in self.cases}))

    @cached_property
    def identical(self) -> tuple[tuple[str, ...], ...]:
        """Sets of patients that share an identical image."""
        parent = {patient: patient for patient in self.patients}

        def root(patient: str) -> str:
            while parent[patient] != patient:
                patient = parent[patient]
            return patient

        first: dict[str, str] = {}
        for case in self.cases:
            other = first.setdefault(case.image_digest, case.patient)
            low, high = sorted((root(other), root(case.patient)))
            parent[high] = low
        sets: dict[str, list[str]] = defaultdict(list)
        for patient in self.patients:
            sets[root(patient)].append(patient)
        return tuple(tuple(members) for members in sets.values() if len(members) > 1)


def build_manifest(
    cases: Sequence[Case],
    structures: Mapping[str, int],
    cache: Path,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Manifest:
    """Read and check every case that the JSON file `cache` lacks; DataError for an invalid one.

    `advance(done, total)` is called as cases are read.
    """
    if not cases:
        raise DataError("the dataset has no cases", remedy="Check its folder.")
    ids = [case.id for case in cases]
    duplicate = next((id_ for id_, count in Counter(ids).items() if count > 1), None)
    if duplicate is not None:
        raise DataError("two cases have this id", where=duplicate, remedy="Make ids unique in a dataset.")
    known = _load_cache(cache)
    current: dict[str, Any] = {}
    infos: list[CaseInfo] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        contents = pool.map(
            lambda case: known.get(_stamp(case, structures)) or _content(case, structures), cases
        )
        for done, (case, content) in enumerate(zip(cases, contents, strict=True), 1):
            stamp = _stamp(case, structures)
            if stamp:
                current[stamp] = content
            infos.append(_case_info(case, content))
            advance(done, len(cases))
    if current.keys() - known.keys():
        write_json(cache, {**known, **current})
    manifest = Manifest(tuple(sorted(infos, key=lambda info: info.id)))
    if len({case.channels for case in manifest.cases}) > 1:
        raise DataError("cases differ in their number of image channels", where=manifest.cases[0].id)
    return manifest


def _case_info(case: Case, content: Mapping[str, Any]) -> CaseInfo:
    return CaseInfo(
        id=case.id,
        patient=case.patient,
        phase=case.phase,
        group=case.group,
        part=case.part,
        channels=content["channels"],
        shape=tuple(content["shape"]),
        spacing_mm=tuple(content["spacing_mm"]),
        image_digest=content["image"],
        labels_digest=content["labels"],
    )


def _load_cache(cache: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(cache.read_text()))
    except (OSError, ValueError):
        # Without a valid cache the dataset is only read once more.
        return {}


def _stamp(case: Case, structures: Mapping[str, int]) -> str:
    """A digest of the paths, sizes and times of a case's files; empty for a case without files."""
    if not case.files:
        return ""
    stats = []
    for file in case.files:
        try:
            stat = file.stat()
        except OSError as error:
            raise DataError(f"can't be read: {error.strerror}", where=file) from error
        stats.append([str(file.resolve()), stat.st_size, stat.st_mtime_ns])
    return digest([stats, sorted(structures.values())])


def read_checked(case: Case, structures: Mapping[str, int]) -> Volume:
    """The volume of a case; DataError unless image and reference match each other and the dataset."""
    try:
        volume = case.read()
    except (HarnessError, MemoryError):
        raise
    except Exception as error:
        raise DataError(f"reading failed: {explain(error, _module(case.read))}", where=case.id) from error
    _check_spacing(case, volume.spacing_mm)
    image, labels = volume.image, volume.labels
    if labels is None:
        raise DataError("has no reference label map", where=case.id)
    if image.ndim != 4 or image.shape[1:] != labels.shape:
        raise GridError(
            f"image {image.shape} and labels {labels.shape} do not match as (C, z, y, x) and (z, y, x)",
            where=case.id,
        )
    if not np.isfinite(image).all():
        # Otherwise training would end in a NaN loss, which would be blamed on the network.
        raise DataError("image has NaN or infinite values", where=case.id)
    if labels.dtype.kind not in "iu":
        raise LabelError(f"labels are {labels.dtype}, not integers", where=case.id)
    foreign = sorted(set(np.unique(labels).tolist()) - {0, *structures.values()})
    if foreign:
        raise LabelError(
            f"label values {foreign} are not among the structures' {sorted(structures.values())}",
            where=case.id,
        )
    return volume


def _module(read: Callable[..., object]) -> str:
    """The module of the plugin's function, also of one wrapped in `functools.partial`."""
    while isinstance(read, partial):
        read = read.func
    return str(getattr(read, "__module__", None) or type(read).__module__)


def _check_spacing(case: Case, spacing_mm: object) -> None:
    try:
        sizes = [float(mm) for mm in spacing_mm]  # type: ignore[attr-defined]  # a plugin may return anything
    except (TypeError, ValueError):
        sizes = []
    if len(sizes) != 3 or not all(0 < mm < math.inf for mm in sizes):
        raise DataError(
            f"has spacing {spacing_mm!r}, expected three sizes (z, y, x) above 0 mm", where=case.id
        )


def _content(case: Case, structures: Mapping[str, int]) -> dict[str, Any]:
    volume = read_checked(case, structures)
    image, labels = volume.image, volume.labels
    assert labels is not None
    return {
        "channels": image.shape[0],
        "shape": list(labels.shape),
        "spacing_mm": [round(float(mm), 6) for mm in volume.spacing_mm],
        "image": array_digest(image.astype(np.float32, copy=False)),
        "labels": array_digest(labels.astype(np.uint8, copy=False)),
    }


def array_digest(array: NDArray[Any]) -> str:
    """SHA-256 over shape, type and values."""
    content = hashlib.sha256(repr((array.shape, array.dtype.str)).encode())
    content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()
