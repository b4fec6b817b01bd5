"""Each mistake in a folder is one line that says what is wrong, where, and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_organs import decathlon, describe, nnunet, organs, write

from harness.data.nifti import GridError, LabelError
from harness.errors import ConfigError, DataError, HarnessError
from harness_nifti.dataset import Nifti


def refusal(root: Path, kind: type[HarnessError] = DataError, **params: Any) -> str:
    """What opening `root` says."""
    with pytest.raises(kind) as caught:
        Nifti(root, **params).cases()
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_a_folder_that_is_not_there_or_is_no_dataset(tmp_path: Path) -> None:
    assert "no such folder. Give the folder" in refusal(tmp_path / "nowhere")
    line = refusal(tmp_path)
    assert "has no dataset.json" in line
    assert "--data nifti=PATH" in line
    assert "HARNESS_NIFTI_ROOT" in line


def test_the_folder_above_names_the_dataset_below(tmp_path: Path) -> None:
    """Pointing at nnUNet_raw is the likeliest slip."""
    below = nnunet(tmp_path / "Dataset005_Organs", ["a"])
    assert f"Did you mean {below}?" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is not valid JSON: Expecting property name"),
        ("[]", "is not a JSON object"),
        ("\xff", "is not valid JSON"),
        ("{}", "has no 'labels'"),
    ],
)
def test_a_damaged_dataset_json(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_bytes(text.encode("latin-1"))
    line = refusal(tmp_path)
    assert told in line
    assert line.startswith(str(tmp_path / "dataset.json"))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"labels": {"background": 0, "whole": [1, 2], "core": 2}},
            "'whole' is a region with several",
        ),
        ({"labels": {"background": 0, "gland": 1, "ignore": 2}}, "has an ignore label (value 2)"),
        ({"labels": {"background": 0, "gland": 1, "stone": 1}}, "'stone' with value 1"),
        ({"labels": {"0": "background", "1": "gland", "2": "gland"}}, "'gland' with value 2"),
        ({"labels": {"background": 1, "gland": 2}}, "the background has value 1"),
        ({"labels": {"background": 0, "gland": 256}}, "expected an integer from 0 to 255"),
        ({"labels": {"background": 0, "gland": 1.5}}, "expected an integer from 0 to 255"),
        ({"labels": {"background": 0, "gland": True}}, "expected an integer from 0 to 255"),
        ({"labels": {"background": 0, "": 1}}, "has the invalid name ''"),
        ({"labels": {"background": 0}}, "no structure besides the background"),
        ({"channel_names": None}, "has neither 'channel_names' nor 'modality'"),
        ({"channel_names": {"1": "T2", "2": "ADC"}}, "channels are numbered 1, 2, expected 0, 1"),
        ({"file_ending": ".nrrd"}, "file_ending '.nrrd' is not supported. Convert to .nii.gz or .nii."),
        ({"training": ["a.nii.gz"]}, "its list of cases is invalid"),
        ({"dataset": {"a": {"images": ["a.nii.gz"]}}}, "its list of cases is invalid"),
        ({"training": []}, "has no training case"),
    ],
)
def test_what_dataset_json_may_not_say(changes: dict[str, Any], told: str, tmp_path: Path) -> None:
    nnunet(tmp_path, ["a"])
    describe(tmp_path, **changes)
    assert told in refusal(tmp_path)


@pytest.mark.parametrize("folder", ["imagesTr", "labelsTr"])
def test_a_folder_is_missing(folder: str, tmp_path: Path) -> None:
    (nnunet(tmp_path, ["a"]) / folder).rename(tmp_path / "moved")
    assert f"has no folder {folder}" in refusal(tmp_path)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"patient": r"^(patient\d+)"}, "finds nothing in the case id 'case_7'"),
        ({"patient": '"^(case)"'}, "without quotes"),
        ({"phase": "_(ED|ES)$"}, "parameter phase"),
        ({"group": "("}, "parameter group: '(' is not a regular expression"),
        ({"patient": 3}, "3 is not a regular expression"),
    ],
)
def test_a_pattern_that_does_not_fit(params: dict[str, Any], told: str, tmp_path: Path) -> None:
    """Else patients would be torn apart, or phases mixed, in silence."""
    assert told in refusal(nnunet(tmp_path, ["case_7"]), ConfigError, **params)


def remove(*names: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for name in names:
            (root / name).unlink()

    return change


def foreign_label(root: Path) -> None:
    write(root / "labelsTr" / "a.nii.gz", organs(0)[1] * 3)


def other_grid(root: Path) -> None:
    write(root / "imagesTr" / "a_0001.nii.gz", organs(0)[0][1, :2])


def four_channels_in_one_file(root: Path) -> None:
    write(root / "imagesTr" / "a_0001.nii.gz", np.repeat(organs(0)[0], 2, axis=0))


def third_channel(root: Path) -> None:
    write(root / "imagesTr" / "a_0002.nii.gz", organs(0)[0][0])


@pytest.mark.parametrize(
    ("change", "kind", "told"),
    [
        (
            remove("imagesTr/a_0001.nii.gz"),
            DataError,
            "channel ADC of a is missing: there is no a_0001.nii.gz",
        ),
        (
            remove("imagesTr/a_0000.nii.gz"),
            DataError,
            "channel T2 of a is missing: there is no a_0000.nii.gz",
        ),
        (remove("imagesTr/a_0000.nii.gz", "imagesTr/a_0001.nii.gz"), DataError, "label without image"),
        (remove("labelsTr/a.nii.gz"), DataError, "image without label: there is no a.nii.gz"),
        (third_channel, DataError, "a_0002.nii.gz is not among the channels in dataset.json (T2, ADC)"),
        (four_channels_in_one_file, DataError, "has 4 channels, expected 2"),
        (other_grid, GridError, "has shape (2, 20, 24), a_0000.nii.gz has (4, 20, 24)"),
        (foreign_label, LabelError, "label values [3, 6] are not among [0, 1, 2]"),
    ],
)
def test_a_broken_case_raises_when_it_is_read_and_not_before(
    change: Callable[[Path], None], kind: type[DataError], told: str, tmp_path: Path
) -> None:
    """So that an audit can list all of them."""
    change(nnunet(tmp_path, ["a", "b"]))
    broken, whole = Nifti(tmp_path).cases()
    whole.read()
    for _ in range(2):
        with pytest.raises(kind) as caught:
            broken.read()
        assert told in str(caught.value)
        assert str(tmp_path) in str(caught.value)


def test_decathlon_case_whose_files_are_not_there(tmp_path: Path) -> None:
    decathlon(tmp_path, ["a", "b"])
    (tmp_path / "imagesTr" / "a.nii.gz").unlink()
    (tmp_path / "labelsTr" / "a.nii.gz").unlink()
    with pytest.raises(DataError, match=r"image and label are missing: there is no a_0000.nii.gz"):
        Nifti(tmp_path).cases()[0].read()


def test_decathlon_image_with_too_few_channels(tmp_path: Path) -> None:
    decathlon(tmp_path, ["a"])
    write(tmp_path / "imagesTr" / "a.nii.gz", organs(0)[0][0])
    with pytest.raises(DataError, match="has 1 channel, expected 2"):
        Nifti(tmp_path).cases()[0].read()
