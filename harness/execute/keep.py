"""Predictions that are kept: a folder of label maps, one a case, in the dataset's own values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.case import Case
from harness.data.nifti import ENDINGS, read_labels, write_labels
from harness.errors import DataError


def keep(folder: Path, case: Case, labels: NDArray[np.uint8], spacing_mm: tuple[float, float, float]) -> None:
    """Write labels ``(z, y, x)`` as compressed NIfTI, headed like the case's reference."""
    like = case.files[-1] if case.files and case.files[-1].name.endswith(ENDINGS) else None
    write_labels(kept(folder, case.id), labels, like=like, spacing_mm=spacing_mm)


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
