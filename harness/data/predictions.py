"""External predictions: matching a folder of label maps to cases by name, and reading them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.data.case import Case, Volume
from harness.data.nifti import ENDINGS, read_labels, same_directions, same_grid
from harness.errors import DataError


@dataclass(frozen=True)
class FoundPredictions:
    """Files by case id, and `extra` files that match no case."""

    files: Mapping[str, Path]
    extra: tuple[Path, ...]


def find_predictions(folder: Path, cases: Sequence[Case]) -> FoundPredictions:
    """Match NIfTI files in `folder` and below to `cases` by name.

    A file matches a case by its id (``patient001_ED``) or by the names of the case's own files, with or
    without nnU-Net's channel number and ACDC's ``_gt`` (``patient001_frame01``). DataError for a
    missing folder, for two files of one case, and if no file matches any case.
    """
    if not folder.is_dir():
        raise DataError("no such folder", where=folder, remedy="Give a folder of NIfTI label maps.")
    case_of = _names(cases)
    files: dict[str, Path] = {}
    extra = []
    for path in sorted(path for path in folder.rglob("*.nii*") if path.name.endswith(ENDINGS)):
        case_id = case_of.get(_stem(path))
        if case_id is None:
            extra.append(path)
        elif case_id in files:
            raise DataError(
                f"{files[case_id].relative_to(folder)} and {path.relative_to(folder)} both match {case_id}",
                where=folder,
                remedy="Keep one.",
            )
        else:
            files[case_id] = path
    if not files:
        content = f"the first of {len(extra)} is {extra[0].name}" if extra else "it has no .nii.gz or .nii"
        example = " or ".join(dict.fromkeys([cases[0].id, *_own_names(cases[0])][:2]))
        raise DataError(
            f"no file name matches a case ({content})",
            where=folder,
            remedy=f"Name them like {example}.nii.gz.",
        )
    return FoundPredictions(files, tuple(extra))


def read_prediction(
    path: Path,
    reference: Volume,
    structures: Mapping[str, int],
    values: Mapping[str, int],
    *,
    like: Path | None = None,
) -> NDArray[np.uint8]:
    """A label map ``(z, y, x)`` in the values of `structures`.

    `values` are the file's label values by structure. DataError if grid or spacing differ from the
    reference's, if the axes have other directions than those of the reference's file `like`, or if a value
    is neither background nor among `values`.
    """
    labels, spacing_mm = read_labels(path)
    assert reference.labels is not None
    same_grid(path, labels.shape, spacing_mm, "the reference", reference.labels.shape, reference.spacing_mm)
    if like is not None:
        same_directions(path, like)
    foreign = sorted(set(np.unique(labels).tolist()) - {0, *values.values()})
    if foreign:
        known = ", ".join(f"{name}={value}" for name, value in values.items())
        raise DataError(
            f"label values {foreign} are not among {known}", where=path, remedy="Give --labels NAME=VALUE,…"
        )
    table = np.zeros(256, np.uint8)
    for name, value in values.items():
        table[value] = structures[name]
    return table[labels]


def _names(cases: Iterable[Case]) -> dict[str, str]:
    """Case ids by each name that matches exactly one case."""
    named = [(name, case.id) for case in cases for name in {case.id, *_own_names(case)}]
    shared = Counter(name for name, _ in named)
    return {name: case_id for name, case_id in named if shared[name] == 1}


def _own_names(case: Case) -> list[str]:
    stems = [_stem(file) for file in case.files]
    return [*(stem.removesuffix("_gt") for stem in stems), *(stem.removesuffix("_0000") for stem in stems)]


def _stem(path: Path) -> str:
    name = path.name
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return name
