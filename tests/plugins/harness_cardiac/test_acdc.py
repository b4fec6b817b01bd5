"""ACDC's folders as they are delivered, copied, renamed and damaged."""

import shutil
import warnings
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from harness.data.audit import audit
from harness.data.case import Case
from harness.data.source import Source, open_record
from harness.errors import DataError
from harness.plugins import manager
from harness.plugins.records import Dataset
from harness_cardiac import STRUCTURES
from harness_cardiac.acdc import ACDC

SPACING_MM = (10.0, 1.5625, 1.5625)
LIE = np.diag([-1.0, -1.0, 1.0, 1.0])


def save(path: Path, array: Any, spacing_mm: tuple[float, float, float] = SPACING_MM) -> None:
    """A file with ACDC's sform, which says 1 mm, and a true pixdim."""
    image: Any = nibabel.Nifti1Image(array.T, LIE)
    image.header.set_zooms(spacing_mm[::-1])
    nibabel.save(image, path)


def patient(
    part: Path,
    name: str = "patient001",
    frames: tuple[int, int] = (1, 12),
    ending: str = ".nii.gz",
    dtype: Any = np.int16,
) -> Path:
    """A patient whose image values tell the frame; what else lies in such a folder lies here too."""
    folder = part / name
    folder.mkdir(parents=True)
    ed, es = frames
    (folder / "Info.cfg").write_text(
        f"ED: {ed}\nES: {es}\nGroup: DCM\nHeight: 184.0\nNbFrame: 30\nWeight: 95.0\n"
    )
    (folder / "MANDATORY_CITATION.md").write_text("Bernard et al.")
    for frame in {1, *frames}:
        stem = folder / f"{name}_frame{frame:02d}"
        save(stem.with_name(f"{stem.name}{ending}"), np.full((3, 6, 5), frame, dtype))
        labels = (np.arange(90).reshape(3, 6, 5) + frame) % 4
        save(stem.with_name(f"{stem.name}_gt{ending}"), labels.astype(np.uint8))
    return folder


def read_all(root: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for case in ACDC(root).cases():
            case.read()


def refusal(root: Path) -> str:
    """The one line that is said when cases are listed and read."""
    with pytest.raises(DataError) as caught:
        read_all(root)
    line = str(caught.value)
    assert str(root) in line
    assert "\n" not in line
    return line


def named(root: Path) -> dict[str, Case]:
    return {case.id: case for case in ACDC(root).cases()}


@pytest.mark.parametrize("ending", [".nii.gz", ".nii"])
@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8])
def test_both_phases_are_read_whatever_the_files_type(dtype: Any, ending: str, tmp_path: Path) -> None:
    patient(tmp_path, ending=ending, dtype=dtype)
    cases = named(tmp_path)
    assert [(case.id, case.patient, case.phase, case.group) for case in cases.values()] == [
        ("patient001_ED", "patient001", "ED", "DCM"),
        ("patient001_ES", "patient001", "ES", "DCM"),
    ]
    for case, frame in zip(cases.values(), (1, 12), strict=True):
        volume = case.read()
        assert volume.image.dtype == np.float32
        assert volume.image.shape == (1, 3, 6, 5)
        assert np.unique(volume.image).tolist() == [frame]
        assert np.array_equal(volume.labels, (np.arange(90).reshape(3, 6, 5) + frame) % 4)
        assert volume.spacing_mm == SPACING_MM


def test_frames_are_those_of_info_cfg(tmp_path: Path) -> None:
    """In patient090 ED is frame 04 and ES 11; frame 01 is there as well, and is neither."""
    patient(tmp_path, "patient090", (4, 11))
    cases = named(tmp_path)
    assert cases["patient090_ED"].read().image.max() == 4
    assert cases["patient090_ES"].read().image.max() == 11


def test_official_parts_are_those_of_the_folders(tmp_path: Path) -> None:
    """Else an official test patient could be trained on."""
    patient(tmp_path / "training", "patient001")
    patient(tmp_path / "testing", "patient101")
    parts = {case.patient: case.part for case in ACDC(tmp_path).cases()}
    assert parts == {"patient001": "train", "patient101": "test"}


@pytest.mark.parametrize("inner", ["training", "testing", "."])
def test_one_part_alone_is_no_official_split(inner: str, tmp_path: Path) -> None:
    """Patients may be in `root` itself, or below; other folders and files beside them don't matter."""
    for name in ("patient002", "patient001"):
        patient(tmp_path / inner, name)
    (tmp_path / inner / "patients.txt").write_text("1, 2")
    (tmp_path / inner / "notes").mkdir()
    (tmp_path / inner / "._patient001").write_bytes(b"\0\5\x16\7")
    (tmp_path / inner / "patient003.zip").write_bytes(b"PK")
    assert [(case.id, case.part) for case in ACDC(tmp_path).cases()] == [
        ("patient001_ED", None),
        ("patient001_ES", None),
        ("patient002_ED", None),
        ("patient002_ES", None),
    ]


def test_listing_opens_no_image(tmp_path: Path) -> None:
    folder = patient(tmp_path)
    for file in folder.glob("*.nii.gz"):
        file.write_bytes(b"")
    case = named(tmp_path)["patient001_ED"]
    assert [file.name for file in case.files] == [
        "patient001_frame01.nii.gz",
        "patient001_frame01_gt.nii.gz",
    ]


@pytest.mark.parametrize("made", [None, ".", "training", "training/notes"])
def test_a_missing_or_empty_folder_says_where_to_get_the_data(made: str | None, tmp_path: Path) -> None:
    """And under which licence, and how to say where it lies."""
    root = tmp_path / "acdc"
    if made:
        (root / made).mkdir(parents=True)
    line = refusal(root)
    assert ("no patientXXX folders" if made else "there is no such folder") in line
    for told in (
        "https://www.creatis.insa-lyon.fr/Challenge/acdc/",
        "CC BY-NC-SA 4.0",
        "citation",
        "--data acdc=PATH",
        "HARNESS_ACDC_ROOT",
        "[datasets.acdc]",
    ):
        assert told in line


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "acdc").write_text("")
    assert "there is no such folder" in refusal(tmp_path / "acdc")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"ED: 1\nGroup: DCM\n", "tells no ES frame"),
        (b"ES: 12\n", "tells no ED frame"),
        (b"ED: 1\nES:\n", "tells no ES frame"),
        (b"ED: 1\nES: twelve\n", "tells no ES frame"),
        ("ED: 1\nES: ²\n".encode(), "tells no ES frame"),
        (b"", "tells no ED frame"),
        (b"ED: 1\nES: 12\nGroup: \xff\xfe\n", "can't be read"),
    ],
)
def test_info_cfg_that_does_not_tell(text: bytes, told: str, tmp_path: Path) -> None:
    folder = patient(tmp_path)
    (folder / "Info.cfg").write_bytes(text)
    line = refusal(tmp_path)
    assert line.startswith(f"{folder / 'Info.cfg'}: ")
    assert told in line


def test_info_cfg_of_another_editor(tmp_path: Path) -> None:
    """Line ends of Windows, no blanks, no group: still the same frames."""
    folder = patient(tmp_path)
    (folder / "Info.cfg").write_bytes(b"ED:1\r\nES :  12 \r\n")
    assert [(case.phase, case.group) for case in ACDC(tmp_path).cases()] == [("ED", None), ("ES", None)]


def test_missing_info_cfg(tmp_path: Path) -> None:
    folder = patient(tmp_path)
    (folder / "Info.cfg").unlink()
    assert refusal(tmp_path).startswith(f"{folder / 'Info.cfg'}: is missing")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("patient001_frame01", "the ED is missing: no patient001_frame01.nii.gz or .nii"),
        ("patient001_frame12", "the ES is missing"),
        ("patient001_frame01_gt", "the ED reference is missing: no patient001_frame01_gt.nii.gz or .nii"),
        ("patient001_frame12_gt", "the ES reference is missing"),
    ],
)
def test_missing_image_or_reference(name: str, told: str, tmp_path: Path) -> None:
    """A broken copy is told with the file that it lacks; an audit finds all that is broken in one go."""
    folder = patient(tmp_path)
    (folder / f"{name}.nii.gz").unlink()
    message = refusal(tmp_path)
    assert message.startswith(f"{folder}: ")
    assert told in message
    shutil.copytree(folder, tmp_path / "patient002")
    (tmp_path / "patient002" / "Info.cfg").unlink()
    findings = audit(Source(tuple(ACDC(tmp_path).cases()), dict(STRUCTURES), ("ED", "ES")))
    (missing,) = [one for one in findings if one.severity == "error"]
    assert missing.check == "files"
    assert missing.found.startswith("3 of 4 cases")


@pytest.mark.parametrize("content", [b"", b"<html>Please log in</html>", None], ids=["empty", "text", "cut"])
@pytest.mark.parametrize("name", ["patient001_frame12.nii.gz", "patient001_frame12_gt.nii.gz"])
def test_damaged_file_is_named(name: str, content: bytes | None, tmp_path: Path) -> None:
    path = patient(tmp_path) / name
    path.write_bytes(path.read_bytes()[:-12] if content is None else content)
    assert refusal(tmp_path).startswith(f"{path}: ")


@pytest.mark.parametrize("value", [0.5, -1.0, np.nan, 300.0])
def test_reference_that_is_no_label_map(value: float, tmp_path: Path) -> None:
    path = patient(tmp_path) / "patient001_frame01_gt.nii.gz"
    save(path, np.full((3, 6, 5), value, np.float32))
    assert refusal(tmp_path).startswith(f"{path}: label values are not integers")


def test_reference_with_a_fourth_structure(tmp_path: Path) -> None:
    path = patient(tmp_path) / "patient001_frame01_gt.nii.gz"
    save(path, np.full((3, 6, 5), 4, np.uint8))
    assert refusal(tmp_path).startswith(f"{path}: label values [4] are not among [0, 1, 2, 3]")


def test_reference_on_another_grid(tmp_path: Path) -> None:
    path = patient(tmp_path) / "patient001_frame01_gt.nii.gz"
    save(path, np.zeros((3, 5, 6), np.uint8))
    assert f"{path}: has shape (3, 5, 6), patient001_frame01.nii.gz has (3, 6, 5)" in refusal(tmp_path)
    save(path, np.zeros((3, 6, 5), np.uint8), (10.0, 1.0, 1.0))
    assert f"{path}: has spacing (10.0, 1.0, 1.0) mm" in refusal(tmp_path)


def test_registered_record_opens_it(tmp_path: Path) -> None:
    """What `harness run` does with ``dataset = "acdc"``."""
    patient(tmp_path)
    record = manager.load().get("dataset", "acdc").record
    assert isinstance(record, Dataset)
    assert record.licence == "CC-BY-NC-SA-4.0"
    source = open_record(record, tmp_path, {})
    assert len(source.cases) == 2
    assert source.structures == STRUCTURES == {"RV": 1, "MYO": 2, "LV": 3}
    assert source.phases == ("ED", "ES")
