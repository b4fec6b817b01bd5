"""Predictions that are kept: a folder of label maps, one a case, in the dataset's own values."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.case import Case
from harness.data.nifti import ENDINGS, read_labels, write_labels
from harness.errors import DataError


def keep(folder: Path, case: Case, labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]) -> None:
    """Write labels ``(z, y, x)`` as compressed NIfTI, headed like the case's reference."""
    write_labels(kept(folder, case.id), labels, like=nifti_of(case), spacing_mm=spacing_mm)


class Kept:
    """Predictions on their way to `folder`, which appears whole when the last is there, or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._new = folder.with_name(f"{folder.name}.new")
        discard(self._new)

    def add(self, case: Case, labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]) -> None:
        """Keep one."""
        keep(self._new, case, labels, spacing_mm)

    def finish(self) -> None:
        """That was the last."""
        if self._new.exists():
            discard(self._folder)
            self._new.rename(self._folder)


def discard(folder: Path) -> None:
    """Remove kept predictions."""
    if folder.exists():
        shutil.rmtree(folder)


def nifti_of(case: Case) -> Path | None:
    """The NIfTI file of a case's reference; None where it has none."""
    return case.files[-1] if case.files and case.files[-1].name.endswith(ENDINGS) else None


def read_kept(folder: Path, case: Case, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """A kept prediction; None where there is none. DataError where it is damaged or of another `shape`."""
    path = kept(folder, case.id)
    if not path.exists():
        return None
    labels, _ = read_labels(path)
    if labels.shape != shape:
        raise DataError(f"has shape {labels.shape}, the reference has {shape} (z, y, x)", where=path)
    return labels


def kept(folder: Path, case_id: str) -> Path:
    """Where the prediction of a case lies."""
    return folder / f"{case_id}.nii.gz"
