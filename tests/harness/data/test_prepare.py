"""Prepared data: the grid a network sees, made once, believed only when whole."""

import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_specs import run_protocol, run_spec

from harness.contract.spec import Algorithms
from harness.data import prepare as module
from harness.data.case import Case, Volume
from harness.data.prepare import Prepared, class_map, load, network_image, prepare
from harness.errors import DataError, ResourceError
from harness.plan.keys import keys

PROTOCOL = run_protocol(spacing_mm=1.5, crop=(16, 12))
STRUCTURES = {"LV": 3, "RV": 1}


def volume(number: int, depth: int = 3, spacing_mm: tuple[float, float, float] = (10.0, 1.5, 1.5)) -> Volume:
    """An image of noise on the protocol's own grid, unless another spacing is asked for."""
    noise = np.random.default_rng(number)
    labels = noise.choice(np.array([0, 1, 3], np.uint8), (depth, 16, 12))
    return Volume(noise.normal(50, 9, (1, depth, 16, 12)).astype(np.float32), labels, spacing_mm)


def case(number: int, read: Callable[[], Volume] | None = None, **changes: Any) -> Case:
    made = volume(number, **changes)
    return Case(f"p{number}", f"p{number}", None, read or (lambda: made))


def never() -> Volume:
    raise AssertionError("read again")


def equal(a: Prepared, b: Prepared) -> bool:
    same = (a.ids, a.starts, a.depths) == (b.ids, b.starts, b.depths)
    return same and np.array_equal(a.images, b.images) and np.array_equal(a.labels, b.labels)


def names(folder: Path) -> list[str]:
    """What lies beside prepared data, leases aside."""
    return sorted(file.name for file in folder.iterdir() if "-lease." not in file.name)


def test_on_its_own_grid_a_volume_is_only_normalised(tmp_path: Path) -> None:
    """Mean 0 and standard deviation 1 of the volume, and class indices in the order of the structures."""
    made = prepare([case(0)], STRUCTURES, PROTOCOL, tmp_path / "key")
    image, labels = volume(0).image[0], volume(0).labels
    assert made.images.dtype == np.float32
    assert made.images.shape == (3, 1, 16, 12)
    assert made.images[:, 0] == pytest.approx((image - image.mean()) / image.std(), abs=1e-5)
    assert made.labels.dtype == np.uint8
    assert np.array_equal(made.labels, np.select([labels == 3, labels == 1], [1, 2]))


def test_class_map_counts_structures_in_their_order() -> None:
    table = class_map({"LV": 255, "RV": 1})
    assert (table[255], table[1], table[0], table[7]) == (1, 2, 0, 0)


@pytest.mark.parametrize(
    ("native_mm", "extent"),
    [
        # A square of 8 x 6 pixels: at 3 mm it is 24 x 18 mm, which is 16 x 12 pixels of 1.5 mm.
        ((7.0, 3.0, 3.0), (16, 12)),
        ((7.0, 1.5, 3.0), (8, 12)),
        ((10.0, 0.75, 0.75), (4, 3)),
    ],
)
def test_slices_are_resampled_to_the_protocols_spacing(
    native_mm: tuple[float, float, float], extent: tuple[int, int], tmp_path: Path
) -> None:
    """In plane only: as many slices as before, whatever lies between them."""
    labels = np.full((5, 8, 6), 3, np.uint8)
    image = np.ones((1, 5, 8, 6), np.float32) * np.arange(5, dtype=np.float32)[:, None, None]
    made = prepare(
        [case(0, lambda: Volume(image, labels, native_mm))], STRUCTURES, PROTOCOL, tmp_path / "key"
    )
    assert made.depths == (5,)
    assert made.labels.shape == (5, 16, 12)
    for slice_ in made.labels:
        rows, columns = slice_.any(1), slice_.any(0)
        assert (rows.sum(), columns.sum()) == extent
        assert slice_.sum() == extent[0] * extent[1]
    middle = made.images[:, 0, 8, 6]
    # Slices keep their order and their distance in intensity: nothing is interpolated along z.
    assert np.diff(middle) == pytest.approx(np.full(4, middle[1] - middle[0]), abs=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8])
def test_arrays_of_plugins_may_be_flipped_and_of_any_type(dtype: Any) -> None:
    """torch refuses negative strides, and a plugin's author must not learn it from a traceback."""
    image = np.arange(192, dtype=dtype).reshape(1, 1, 16, 12)[..., ::-1]
    slices, _ = network_image(Volume(image, None, (1.0, 1.5, 1.5)), PROTOCOL, torch.device("cpu"))
    assert slices.dtype == torch.float32
    assert slices[0, 0, 0, 0] > slices[0, 0, 0, -1]


def test_cases_lie_one_after_another_sorted_by_id(tmp_path: Path) -> None:
    """Whatever order a plugin lists them in: else shuffling by seed differs between machines."""
    cases = [case(2, depth=2), case(0, depth=4), case(1, depth=1)]
    seen: list[tuple[int, int]] = []
    made = prepare(cases, STRUCTURES, PROTOCOL, tmp_path / "a", lambda *done: seen.append(done))
    assert (made.ids, made.starts, made.depths) == (("p0", "p1", "p2"), (0, 4, 5), (4, 1, 2))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert equal(made, prepare(cases[::-1], STRUCTURES, PROTOCOL, tmp_path / "b"))
    alone = prepare(cases[:1], STRUCTURES, PROTOCOL, tmp_path / "c")
    assert np.array_equal(made.images[5:], alone.images)


def test_prepared_once_and_shared(tmp_path: Path) -> None:
    """A second run reads no case, and maps the files instead of taking memory."""
    first = prepare([case(0)], STRUCTURES, PROTOCOL, tmp_path / "key")
    second = prepare([case(0, never)], STRUCTURES, PROTOCOL, tmp_path / "key")
    assert equal(first, second)
    assert isinstance(second.images, np.memmap)
    assert not second.images.flags.writeable
    assert names(tmp_path) == ["key"]


def key(**changes: Any) -> str:
    """The key under which the data of a made spec is prepared."""
    spec = run_spec(structures=STRUCTURES, scoring=PROTOCOL, manifest_hash="a")
    return keys(replace(spec, **changes))["prepare"]


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"learning_rate": 0.5}, True),
        ({"spacing_mm": 1.25}, False),
        ({"crop": (12, 16)}, False),
        ({"normalisation": "percentile"}, False),
    ],
)
def test_key_changes_with_what_changes_the_arrays(changes: dict[str, Any], same: bool) -> None:
    """Else a run trains on data made for another protocol, or makes the same data twice."""
    assert (key() == key(scoring=replace(PROTOCOL, **changes))) is same


def test_key_changes_with_content_and_structures() -> None:
    others = [
        key(manifest_hash="b"),
        key(dataset=run_spec(structures={"RV": 1, "LV": 3}).dataset),
        key(algorithms=Algorithms(prepare=2, train=2, score=1)),
    ]
    assert len({key(), *others}) == 4


def spoil(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "text": b"{}"}[how])


@pytest.mark.parametrize("how", ["gone", "empty", "cut", "text"])
@pytest.mark.parametrize("name", ["index.json", "images.npy", "labels.npy"])
def test_damaged_cache_is_told_with_a_remedy_that_helps(name: str, how: str, tmp_path: Path) -> None:
    """The cache may be deleted at any time, and part of it; no run trains on half of its slices."""
    folder = tmp_path / "key"
    first = prepare([case(0), case(1)], STRUCTURES, PROTOCOL, folder)
    kept = Prepared(first.ids, first.starts, first.depths, first.images.copy(), first.labels.copy())
    spoil(folder / name, how)
    with pytest.raises(DataError) as caught:
        prepare([case(0, never), case(1, never)], STRUCTURES, PROTOCOL, folder)
    line = str(caught.value)
    assert line.startswith(f"{folder}: prepared data is damaged: ")
    assert line.endswith("Delete this folder and run again.")
    assert "\n" not in line
    shutil.rmtree(folder)
    assert equal(prepare([case(0), case(1)], STRUCTURES, PROTOCOL, folder), kept)


def test_index_of_other_arrays_is_noticed(tmp_path: Path) -> None:
    """Else cases would be cut out of the wrong slices."""
    prepare([case(0, depth=3)], STRUCTURES, PROTOCOL, tmp_path / "a")
    prepare([case(0, depth=2)], STRUCTURES, PROTOCOL, tmp_path / "b")
    shutil.copy(tmp_path / "b" / "index.json", tmp_path / "a" / "index.json")
    with pytest.raises(DataError, match="damaged"):
        load(tmp_path / "a")


KILLED = """
import os, sys, pathlib, types
import numpy as np
from harness.data import prepare as module
from harness.data.case import Case, Volume
module.write_json = lambda *args: os._exit(9)
read = lambda: Volume(np.ones((1, 3, 16, 12), np.float32), np.ones((3, 16, 12), np.uint8), (1.0, 1.5, 1.5))
protocol = types.SimpleNamespace(spacing_mm=1.5, crop=(16, 12), normalisation="z-score")
module.prepare([Case("p0", "p0", None, read)], {"RV": 1}, protocol, pathlib.Path(sys.argv[1]))
"""


def test_killed_half_way_leaves_nothing_that_is_believed(tmp_path: Path) -> None:
    """The process dies with both arrays written; the next makes all again and clears away what it left."""
    folder = tmp_path / "key"
    done = subprocess.run([sys.executable, "-c", KILLED, folder], check=False)
    assert done.returncode == 9
    assert [name.endswith(".tmp") for name in names(tmp_path)] == [True]
    made = prepare([case(0)], STRUCTURES, PROTOCOL, folder)
    assert made.images.std() == pytest.approx(1, abs=1e-4)
    assert names(tmp_path) == ["key"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(OSError(28, "No space left"), ResourceError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_write_that_fails_leaves_nothing(
    error: BaseException, kind: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any) -> None:
        raise error

    monkeypatch.setattr(module, "write_json", fails)
    with pytest.raises(kind):
        prepare([case(0)], STRUCTURES, PROTOCOL, tmp_path / "key")
    assert names(tmp_path) == []


def test_case_that_can_not_be_read_leaves_nothing(tmp_path: Path) -> None:
    """The first run tells the file; once that is mended, the next one starts afresh."""

    def broken() -> Volume:
        raise DataError("is damaged or truncated", where="p1.nii.gz")

    with pytest.raises(DataError, match=r"p1\.nii\.gz: is damaged"):
        prepare([case(0), case(1, broken)], STRUCTURES, PROTOCOL, tmp_path / "key")
    assert names(tmp_path) == []
    assert prepare([case(0), case(1)], STRUCTURES, PROTOCOL, tmp_path / "key").ids == ("p0", "p1")


def test_case_without_reference_is_named(tmp_path: Path) -> None:
    made = volume(0)
    unmarked = case(0, lambda: Volume(made.image, None, made.spacing_mm))
    with pytest.raises(DataError, match="p0: has no reference label map"):
        prepare([unmarked], STRUCTURES, PROTOCOL, tmp_path / "key")


def test_processes_that_ask_at_once_make_it_once(tmp_path: Path) -> None:
    """Runs of several workers begin with the same data."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        made = pool.map_async(_ask, [tmp_path / "key"] * 2).get(timeout=120)
    assert made[0] == made[1] == ("p0", "p1")
    assert len(list(tmp_path.glob("read-*"))) == 2
    assert names(tmp_path) == ["key", *sorted(file.name for file in tmp_path.glob("read-*"))]


def _ask(folder: Path) -> tuple[str, ...]:
    def noting(number: int) -> Volume:
        (folder.parent / f"read-{number}-{os.getpid()}").touch()
        return volume(number)

    cases = [Case(f"p{n}", f"p{n}", None, lambda n=n: noting(n)) for n in range(2)]  # type: ignore[misc]
    return prepare(cases, STRUCTURES, PROTOCOL, folder).ids
