"""A folder of label maps made by any tool: which file is which case's, and what it says."""

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
    """Files by case id, and files that no case is named like."""

    files: Mapping[str, Path]
    extra: tuple[Path, ...]


def find_predictions(folder: Path, cases: Sequence[Case]) -> FoundPredictions:
    """Match NIfTI files in `folder` and below to `cases` by name.

    A case answers to its id (``patient001_ED``) and to the names of its own files, with or
    without nnU-Net's channel number and ACDC's ``_gt`` (``patient001_frame01``). DataError for a
    missing folder, for two files of one case, and where no file fits any case.
    """
    if not folder.is_dir():
        raise DataError("there is no such folder", where=folder, remedy="Name a folder of NIfTI label maps.")
    case_of = _names(cases)
    files: dict[str, Path] = {}
    extra = []
    for path in sorted(path for path in folder.rglob("*.nii*") if path.name.endswith(ENDINGS)):
        case_id = case_of.get(_stem(path))
        if case_id is None:
            extra.append(path)
        elif case_id in files:
            raise DataError(
                f"{files[case_id].relative_to(folder)} and {path.relative_to(folder)} are both of {case_id}",
                where=folder,
                remedy="Keep one.",
            )
        else:
            files[case_id] = path
    if not files:
        seen = f"the first of {len(extra)} is {extra[0].name}" if extra else "there is no .nii.gz or .nii"
        example = " or ".join(dict.fromkeys([cases[0].id, *_own_names(cases[0])][:2]))
        raise DataError(
            f"no file is named like a case ({seen})", where=folder, remedy=f"Name them like {example}.nii.gz."
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

    `values` are those in the file, by structure. DataError where grid or spacing differ from the
    reference's, axes point elsewhere than those of the reference's file `like`, or a value is
    neither background nor among `values`.
    """
    labels, spacing_mm = read_labels(path)
    assert reference.labels is not None
    same_grid(path, labels.shape, spacing_mm, "the reference", reference.labels.shape, reference.spacing_mm)
    if like is not None:
        same_directions(path, like)
    foreign = sorted(set(np.unique(labels).tolist()) - {0, *values.values()})
    if foreign:
        said = ", ".join(f"{name}={value}" for name, value in values.items())
        raise DataError(
            f"label values {foreign} are none of {said}", where=path, remedy="Say --labels NAME=VALUE,…"
        )
    table = np.zeros(256, np.uint8)
    for name, value in values.items():
        table[value] = structures[name]
    return table[labels]


def _names(cases: Iterable[Case]) -> dict[str, str]:
    """Case ids by every name that only one case answers to."""
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
