"""What a folder becomes: cases, channels, structures, patients and parts, in either layout."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_organs import SPACING_MM, STRUCTURES, decathlon, describe, nnunet, organs, write

from harness.data.case import Case
from harness.data.manifest import build_manifest
from harness.data.source import open_record
from harness.plugins import manager
from harness.plugins.records import Dataset
from harness_nifti.dataset import Nifti


def by_id(dataset: Nifti) -> dict[str, Case]:
    return {case.id: case for case in dataset.cases()}


@pytest.mark.parametrize("layout", [nnunet, decathlon])
def test_voxels_channels_and_spacing_are_those_of_the_files(layout: Any, tmp_path: Path) -> None:
    """Axes (z, y, x), channels in the order of their numbers, spacing from pixdim and not the affine."""
    dataset = Nifti(layout(tmp_path, ["a", "b"]))
    cases = dataset.cases()
    assert [(case.id, case.patient, case.phase, case.part) for case in cases] == [
        ("a", "a", None, None),
        ("b", "b", None, None),
    ]
    for number, case in enumerate(cases):
        volume = case.read()
        image, labels = organs(number)
        assert volume.image.dtype == np.float32
        assert np.array_equal(volume.image, image)
        assert volume.labels is not None
        assert np.array_equal(volume.labels, labels)
        assert volume.spacing_mm == SPACING_MM


def test_both_layouts_of_the_same_data_are_the_same_dataset(tmp_path: Path) -> None:
    """So runs on one are not repeated on the other."""
    datasets = [Nifti(layout(tmp_path / layout.__name__, ["a", "b"])) for layout in (nnunet, decathlon)]
    manifests = [
        build_manifest(dataset.cases(), dataset.structures, tmp_path / f"{number}.json")
        for number, dataset in enumerate(datasets)
    ]
    assert manifests[0].hash == manifests[1].hash


@pytest.mark.parametrize(
    "labels",
    [
        {"background": 0, "gland": 1, "stone pair": 2},
        {"stone pair": 2, "gland": 1, "background": 0},
        {"background": 0, "gland": [1], "stone pair": "2"},
        {"0": "background", "1": "gland", "2": "stone pair"},
        {"0": "air", "2": "stone pair", "1": "gland"},
    ],
)
def test_structures_are_named_by_dataset_json_without_the_background(labels: Any, tmp_path: Path) -> None:
    nnunet(tmp_path, ["a"])
    describe(tmp_path, labels=labels)
    assert list(Nifti(tmp_path).structures.items()) == list(STRUCTURES.items())


def test_the_registered_record_takes_structures_and_phases_from_the_folder(tmp_path: Path) -> None:
    """The record has none: they are decided when the folder is opened."""
    record = manager.load().get("dataset", "nifti").record
    assert isinstance(record, Dataset)
    ids = ["p1_ED", "p1_ES", "p2_ED", "p2_ES"]
    params = {**record.defaults, "patient": r"^(p\d+)", "phase": "_(ED|ES)$", "group": "^p"}
    source = open_record(record, nnunet(tmp_path, ids), params)
    assert source.structures == STRUCTURES
    assert source.phases == ("ED", "ES")
    assert [(case.patient, case.phase, case.group) for case in source.cases] == [
        ("p1", "ED", "p"),
        ("p1", "ES", "p"),
        ("p2", "ED", "p"),
        ("p2", "ES", "p"),
    ]


@pytest.mark.parametrize(("labelled", "parts"), [(True, ["train", "test"]), (False, [None])])
def test_a_test_part_needs_images_and_labels(labelled: bool, parts: list[str], tmp_path: Path) -> None:
    """Images without labels, as challenges publish them, can't be scored, and are left alone."""
    nnunet(tmp_path, ["a"], ["b"])
    if not labelled:
        (tmp_path / "labelsTs" / "b.nii.gz").unlink()
    assert [case.part for case in Nifti(tmp_path).cases()] == parts


def test_decathlon_folders_with_labels_beside_its_test_images(tmp_path: Path) -> None:
    """Who has the test labels puts them into labelsTs."""
    decathlon(tmp_path, ["a"])
    image, labels = organs(7)
    write(tmp_path / "imagesTs" / "z.nii.gz", image)
    write(tmp_path / "labelsTs" / "z.nii.gz", labels)
    cases = by_id(Nifti(tmp_path))
    assert [cases[id_].part for id_ in ("a", "z")] == ["train", "test"]
    assert np.array_equal(cases["z"].read().image, image)


def test_nnunets_first_version_lists_images_without_their_channel_number(tmp_path: Path) -> None:
    """Its dataset.json is the Decathlon's, its files are a channel each."""
    nnunet(tmp_path, ["a"])
    listed = decathlon(tmp_path / "other", ["a"]) / "dataset.json"
    (tmp_path / "dataset.json").write_text(listed.read_text())
    (case,) = Nifti(tmp_path).cases()
    assert case.read().image.shape[0] == 2


def test_nnunets_list_of_files_may_lie_anywhere(tmp_path: Path) -> None:
    """``dataset`` in dataset.json replaces the folders."""
    nnunet(tmp_path / "elsewhere", ["a"])
    images = [f"../elsewhere/imagesTr/a_000{channel}.nii.gz" for channel in (1, 0)]
    describe(tmp_path / "d", dataset={"x": {"images": images, "label": "../elsewhere/labelsTr/a.nii.gz"}})
    (case,) = Nifti(tmp_path / "d").cases()
    assert case.id == "x"
    assert np.array_equal(case.read().image, organs(0)[0][::-1])


def test_one_channel_and_plain_nii(tmp_path: Path) -> None:
    image, labels = organs(0)
    describe(tmp_path, channel_names={"0": "CT"}, file_ending=".nii")
    write(tmp_path / "imagesTr" / "scan_2024_0000.nii", image[0])
    write(tmp_path / "labelsTr" / "scan_2024.nii", labels)
    (case,) = Nifti(tmp_path).cases()
    assert case.id == "scan_2024"
    assert np.array_equal(case.read().image, image[:1])


def test_opening_reads_no_image(tmp_path: Path) -> None:
    """A dataset of thousands opens at once, and a plan of finished runs reads nothing."""
    nnunet(tmp_path, ["a"])
    for path in tmp_path.rglob("*.nii.gz"):
        path.write_bytes(b"not an image")
    assert len(Nifti(tmp_path).cases()) == 1


def test_ids_that_end_in_four_digits_keep_them(tmp_path: Path) -> None:
    """``scan_0001`` is a case, ``scan_0001_0000`` its first channel."""
    ids = ["scan_0001", "scan_0002"]
    assert list(by_id(Nifti(nnunet(tmp_path / "n", ids)))) == ids
    assert list(by_id(Nifti(decathlon(tmp_path / "d", ids)))) == ids
