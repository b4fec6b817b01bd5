"""The manifest: content decides, and a second look reads nothing."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.data.case import Case, Volume
from harness.data.manifest import Manifest, build_manifest
from harness.errors import DataError

STRUCTURES = {"RV": 1, "LV": 3}


class Files:
    """Cases whose content is kept in memory and whose files only have a state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reads = 0

    def case(self, name: str, seed: int = 0, **changes: Any) -> Case:
        file = self.folder / f"{name}.x"
        if not file.exists():
            file.write_text(name)
        noise = np.random.default_rng(seed)
        content = {
            "image": noise.normal(size=(1, 3, 5, 4)).astype(np.float32),
            "labels": noise.choice(np.array([0, 1, 3], np.uint8), size=(3, 5, 4)),
            "spacing_mm": (10.0, 1.5, 1.5),
            **changes,
        }

        def read() -> Volume:
            self.reads += 1
            return Volume(**content)

        return Case(f"{name}_ED", name, "ED", read, (file,), group="A")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Manifest]:
    return lambda *cases: build_manifest(cases, STRUCTURES, tmp_path / "memory.json")


def test_second_look_reads_nothing_until_a_file_changes(files: Files, build: Callable[..., Manifest]) -> None:
    first = build(files.case("a"), files.case("b", 1))
    assert files.reads == 2
    assert build(files.case("a"), files.case("b", 1)).hash == first.hash
    assert files.reads == 2
    (files.folder / "b.x").write_text("longer than before")
    assert build(files.case("a"), files.case("b", 2)).hash != first.hash
    assert files.reads == 3


def test_a_damaged_memory_costs_a_reading_and_nothing_else(
    files: Files, build: Callable[..., Manifest], tmp_path: Path
) -> None:
    first = build(files.case("a"))
    (tmp_path / "memory.json").write_text("{")
    assert build(files.case("a")).hash == first.hash


def test_hash_moves_with_labels_and_spacing(
    files: Files, build: Callable[..., Manifest], tmp_path: Path
) -> None:
    def hashed(**changes: Any) -> str:
        (tmp_path / "memory.json").unlink(missing_ok=True)
        return build(files.case("a", **changes)).hash

    assert hashed() == hashed()
    assert hashed() != hashed(spacing_mm=(10.0, 1.5, 1.6))
    assert hashed() != hashed(labels=np.zeros((3, 5, 4), np.uint8))


def test_identical_images_under_two_patients_are_found(files: Files, build: Callable[..., Manifest]) -> None:
    m = build(files.case("a", 1), files.case("b", 2), files.case("c", 1))
    assert m.identical == (("a", "c"),)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"labels": np.full((3, 5, 4), 2, np.uint8)}, r"label values \[2\]"),
        ({"labels": np.zeros((3, 5, 5), np.uint8)}, r"\(3, 5, 5\)"),
        ({"labels": None}, "no reference"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_anything_trains(
    files: Files, build: Callable[..., Manifest], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(DataError, match=told) as caught:
        build(files.case("a", **changes))
    assert "a_ED" in str(caught.value)


def test_doubled_ids_and_no_cases_are_errors(files: Files, build: Callable[..., Manifest]) -> None:
    with pytest.raises(DataError, match="two cases"):
        build(files.case("a"), files.case("a"))
    with pytest.raises(DataError, match="no cases"):
        build()


def test_a_vanished_file_is_named(files: Files, build: Callable[..., Manifest]) -> None:
    case = files.case("a")
    case.files[0].unlink()
    with pytest.raises(DataError, match=r"a\.x"):
        build(case)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image": np.full((1, 3, 5, 4), np.nan, np.float32)}, "NaN"),
        ({"image": np.full((1, 3, 5, 4), np.inf, np.float32)}, "infinite"),
        ({"labels": np.ones((3, 5, 4), np.float64)}, "float64, not integers"),
        ({"labels": np.ones((3, 5, 4), bool)}, "bool, not integers"),
    ],
)
def test_content_that_would_later_be_blamed_on_a_network_is_refused(
    files: Files, build: Callable[..., Manifest], changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(DataError, match=f"a_ED: .*{told}"):
        build(files.case("a", **changes))


@pytest.mark.parametrize(
    "spacing_mm",
    [
        (0.0, 1.5, 1.5),
        (10.0, -1.5, 1.5),
        (10.0, 1.5, float("inf")),
        (10.0, 1.5, float("nan")),
        (1.5, 1.5),
        None,
    ],
)
def test_distances_without_a_size_are_refused(
    files: Files, build: Callable[..., Manifest], spacing_mm: Any
) -> None:
    """Otherwise every Hausdorff distance of the case would be 0, infinite or NaN."""
    with pytest.raises(DataError, match="a_ED: has spacing"):
        build(files.case("a", spacing_mm=spacing_mm))


def test_a_voxel_below_a_millimetre_is_accepted(files: Files, build: Callable[..., Manifest]) -> None:
    assert build(files.case("a", spacing_mm=(0.5, 0.25, 0.25))).cases[0].spacing_mm == (0.5, 0.25, 0.25)


def test_cases_with_different_numbers_of_channels_are_refused(
    files: Files, build: Callable[..., Manifest]
) -> None:
    """A network has one number of input channels; it would fail in the middle of training."""
    two = np.zeros((2, 3, 5, 4), np.float32)
    assert build(files.case("a", image=two)).cases[0].channels == 2
    with pytest.raises(DataError, match="number of image channels"):
        build(files.case("b"), files.case("c", image=two))


def test_an_error_while_reading_names_the_case(files: Files, build: Callable[..., Manifest]) -> None:
    def read() -> Volume:
        raise ValueError("no such header")

    with pytest.raises(DataError, match=r"a_ED: reading failed: .*no such header"):
        build(replace(files.case("a"), read=read))


def test_the_hash_does_not_depend_on_the_order_of_cases(files: Files, build: Callable[..., Manifest]) -> None:
    """Folders are listed in another order on another file system."""
    a, b = files.case("a"), files.case("b", 1)
    assert build(a, b).hash == build(b, a).hash


def test_reading_is_reported_case_by_case(files: Files, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    cases = [files.case("a"), files.case("b", 1)]
    build_manifest(cases, STRUCTURES, tmp_path / "m.json", lambda done, total: heard.append((done, total)))
    assert heard == [(1, 2), (2, 2)]
