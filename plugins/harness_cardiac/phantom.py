"""Hearts made from a seed, written once in ACDC's layout and read like ACDC."""

from __future__ import annotations

import gzip
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from harness.data.case import Case
from harness.errors import ConfigError
from harness.store.atomic import storage_errors, write_atomic, write_text
from harness_cardiac.acdc import ACDC, PHASES
from harness_cardiac.patient import Patient, make_patient

VERSION = 1
"""Of the generator, and part of the folder's name: raise it when any voxel changes."""


class Phantom:
    """`train` and `test` made patients under a folder of their own in `root`; made on first use.

    Group, anatomy and images of a patient depend on `seed` and the patient's number alone, so
    more patients are the same ones and some more. ConfigError for numbers that make no sense.
    """

    def __init__(self, root: Path, train: int = 20, test: int = 10, seed: int = 0) -> None:
        for name, value in (("train", train), ("test", test), ("seed", seed)):
            if type(value) is not int or value < 0:
                raise ConfigError(
                    f"{name} = {value!r} is not a whole number from 0 up", where="dataset phantom"
                )
        if train + test == 0:
            raise ConfigError("train = 0 and test = 0 leave no patients", where="dataset phantom")
        self.train, self.test, self.seed = train, test, seed
        self.folder = root / f"phantom-v{VERSION}-seed{seed}-train{train}-test{test}"

    def cases(self) -> Sequence[Case]:
        """ED and ES of every patient; makes those that are not there, at less than 0.5 s each."""
        for number in range(1, self.train + self.test + 1):
            part = "training" if number <= self.train else "testing"
            folder = self.folder / part / f"patient{number:03d}"
            if not folder.is_dir():
                _write(folder, make_patient(self.seed, number))
        return ACDC(self.folder).cases()


def _write(folder: Path, patient: Patient) -> None:
    """Write beside, then rename: a folder of this name is complete, whoever was killed or raced."""
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}.tmp")
        try:
            made.mkdir()
            _write_files(made, folder.name, patient)
            made.rename(folder)
        except OSError:
            # Another process was faster, and made the very same files.
            if not folder.is_dir():
                raise
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _write_files(folder: Path, name: str, patient: Patient) -> None:
    for phase in PHASES:
        stem = f"{name}_frame{patient.frames[phase]:02d}"
        _write_nifti(folder / f"{stem}.nii.gz", patient.images[phase], patient.spacing_mm)
        _write_nifti(folder / f"{stem}_gt.nii.gz", patient.labels[phase], patient.spacing_mm)
    info = {
        **patient.frames,
        "Group": patient.group,
        "Height": f"{patient.height_cm:.1f}",
        "NbFrame": patient.frame_count,
        "Weight": f"{patient.weight_kg:.1f}",
    }
    write_text(folder / "Info.cfg", "".join(f"{key}: {value}\n" for key, value in info.items()))


def _write_nifti(path: Path, array: NDArray[Any], spacing_mm: tuple[float, float, float]) -> None:
    nifti: Any = nibabel.Nifti1Image
    image = nifti(np.ascontiguousarray(array.T), np.diag([*spacing_mm[::-1], 1.0]))
    image.header.set_xyzt_units("mm")
    # No time in the header of the gzip stream: the same patient is the same bytes.
    content = gzip.compress(image.to_bytes(), compresslevel=1, mtime=0)
    write_atomic(path, lambda file: file.write(content))
