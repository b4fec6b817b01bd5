"""The Automated Cardiac Diagnosis Challenge's folders.

Bernard, Lalande, Zotti, Cervenansky et al.: Deep Learning Techniques for Automatic MRI Cardiac
Multi-Structures Segmentation and Diagnosis: Is the Problem Solved? IEEE TMI 37(11):2514-2525,
2018, doi:10.1109/TMI.2018.2837502. Citing it is a condition of using the data.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from harness.data.case import Case, Part, Volume
from harness.data.nifti import nifti_case
from harness.errors import DataError
from harness_cardiac import STRUCTURES

PHASES = ("ED", "ES")

HOW_TO_GET = (
    "Download it from https://www.creatis.insa-lyon.fr/Challenge/acdc/ (CC BY-NC-SA 4.0: non-commercial "
    "research, with citation), then give --data acdc=PATH, set HARNESS_ACDC_ROOT, or write root under "
    "[datasets.acdc] in harness.toml."
)


class ACDC:
    """Patients under `root`, or under ``root/training`` and ``root/testing``.

    A patient's folder ``patientXXX`` has ``Info.cfg``, which names the frames of ED and ES and the
    group, and for both ``patientXXX_frameYY.nii[.gz]`` and ``…_gt.nii[.gz]``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def cases(self) -> Sequence[Case]:
        """ED and ES of every patient. Images are not opened; reading a case names what it lacks."""
        cases = []
        for folder, part in self._parts():
            for patient in sorted(folder.glob("patient[0-9]*")):
                if patient.is_dir():
                    cases += _patient(patient, part)
        if not cases:
            raise DataError(
                "there is no ACDC here (no patientXXX folders)", where=self.root, remedy=HOW_TO_GET
            )
        return cases

    def _parts(self) -> list[tuple[Path, Part | None]]:
        if not self.root.is_dir():
            raise DataError("there is no such folder", where=self.root, remedy=HOW_TO_GET)
        training, testing = self.root / "training", self.root / "testing"
        if training.is_dir() and testing.is_dir():
            return [(training, "train"), (testing, "test")]
        # Without both there is no official split, and all patients are alike.
        only = next(folder for folder in (training, testing, self.root) if folder.is_dir())
        return [(only, None)]


def _patient(folder: Path, part: Part | None) -> list[Case]:
    """ED and ES; what is missing is told when the case is read, so that an audit can list all there is."""
    try:
        info = _info(folder / "Info.cfg")
    except DataError as error:
        return [_unreadable(folder, phase, part, error) for phase in PHASES]
    cases = []
    for phase in PHASES:
        try:
            cases.append(_case(folder, phase, part, info))
        except DataError as error:
            cases.append(_unreadable(folder, phase, part, error))
    return cases


def _case(folder: Path, phase: str, part: Part | None, info: dict[str, str]) -> Case:
    frame = info.get(phase, "")
    if not frame.isdecimal():
        raise DataError(f"tells no {phase} frame", where=folder / "Info.cfg")
    stem = f"{folder.name}_frame{int(frame):02d}"
    return nifti_case(
        f"{folder.name}_{phase}",
        folder.name,
        phase,
        [_file(folder, stem, phase)],
        _file(folder, f"{stem}_gt", f"{phase} reference"),
        STRUCTURES.values(),
        group=info.get("Group") or None,
        part=part,
    )


def _unreadable(folder: Path, phase: str, part: Part | None, error: DataError) -> Case:
    read = functools.partial(_raise, error)
    return Case(f"{folder.name}_{phase}", folder.name, phase, read, part=part)


def _raise(error: DataError) -> Volume:
    raise error


def _info(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise DataError("is missing: it names the frames of ED and ES", where=path) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"can't be read: {error}", where=path) from error
    pairs = (line.partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _file(folder: Path, stem: str, what: str) -> Path:
    for suffix in (".nii.gz", ".nii"):
        path = folder / f"{stem}{suffix}"
        if path.exists():
            return path
    raise DataError(f"the {what} is missing: no {stem}.nii.gz or .nii", where=folder)
