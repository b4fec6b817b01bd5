"""Saved predictions: a folder of label maps, one per case, in the dataset's label values."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.case import Case
from harness.data.nifti import ENDINGS, read_labels, write_labels
from harness.errors import DataError


def save_prediction(
    folder: Path, case: Case, labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]
) -> None:
    """Write labels ``(z, y, x)`` as compressed NIfTI, with the header of the case's reference."""
    write_labels(prediction_path(folder, case.id), labels, like=nifti_of(case), spacing_mm=spacing_mm)


class PredictionWriter:
    """Writes the predictions of a run to `folder`, which appears only once all of them are complete."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._new = folder.with_name(f"{folder.name}.new")
        remove_predictions(self._new)

    def add(self, case: Case, labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]) -> None:
        """Write one prediction."""
        save_prediction(self._new, case, labels, spacing_mm)

    def finish(self) -> None:
        """Put the complete predictions in place, after the last `add`."""
        if self._new.exists():
            remove_predictions(self._folder)
            self._new.rename(self._folder)


def remove_predictions(folder: Path) -> None:
    """Delete a folder of saved predictions, if it exists."""
    if folder.exists():
        shutil.rmtree(folder)


def nifti_of(case: Case) -> Path | None:
    """The NIfTI file of a case's reference; None where it has none."""
    return case.files[-1] if case.files and case.files[-1].name.endswith(ENDINGS) else None


def read_saved_prediction(folder: Path, case: Case, shape: tuple[int, ...]) -> NDArray[Any] | None:
    """The saved prediction of a case, or None. DataError if it is damaged or has another `shape`."""
    path = prediction_path(folder, case.id)
    if not path.exists():
        return None
    labels, _ = read_labels(path)
    if labels.shape != shape:
        raise DataError(f"has shape {labels.shape}, the reference has {shape} (z, y, x)", where=path)
    return labels


def prediction_path(folder: Path, case_id: str) -> Path:
    """The file of a case's saved prediction."""
    return folder / f"{case_id}.nii.gz"
