"""Made hearts: the same for everyone, in ACDC's layout, plausible, and no gift to a threshold."""

import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from harness.data.case import Case, Volume
from harness.errors import ConfigError, HarnessError
from harness_cardiac import STRUCTURES, phantom
from harness_cardiac.acdc import ACDC
from harness_cardiac.phantom import Phantom

RV, MYO, LV = STRUCTURES["RV"], STRUCTURES["MYO"], STRUCTURES["LV"]
Hearts = dict[str, dict[str, Volume]]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Case]:
    return Phantom(tmp_path_factory.mktemp("hearts"), train=10, test=5).cases()


@pytest.fixture(scope="module")
def hearts(cases: Sequence[Case]) -> Hearts:
    """Volumes by patient and phase."""
    read: Hearts = defaultdict(dict)
    for case in cases:
        assert case.phase is not None
        read[case.patient][case.phase] = case.read()
    return read


@pytest.fixture(scope="module")
def group_of(cases: Sequence[Case]) -> dict[str, str | None]:
    return {case.patient: case.group for case in cases}


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def labels(volume: Volume) -> np.ndarray:
    assert volume.labels is not None
    return volume.labels


def volume_ml(volume: Volume, structure: int) -> float:
    return float((labels(volume) == structure).sum() * np.prod(volume.spacing_mm) / 1000)


def ejection(heart: dict[str, Volume], structure: int) -> float:
    return 1 - volume_ml(heart["ES"], structure) / volume_ml(heart["ED"], structure)


def test_two_makings_are_the_same_bytes(tmp_path: Path) -> None:
    """Otherwise two users could not compare their leaderboards."""
    for name in ("one", "two"):
        Phantom(tmp_path / name, train=1, test=1).cases()
    assert files(tmp_path / "one") == files(tmp_path / "two")


def test_a_patient_does_not_depend_on_how_many_there_are(tmp_path: Path) -> None:
    """More patients are the same ones and some more."""
    few, more = Phantom(tmp_path, train=1, test=1), Phantom(tmp_path, train=2, test=0)
    few.cases()
    more.cases()
    assert files(few.folder / "training/patient001") == files(more.folder / "training/patient001")
    assert files(few.folder / "testing/patient002") == files(more.folder / "training/patient002")


def test_another_seed_makes_other_hearts(tmp_path: Path) -> None:
    one, two = (Phantom(tmp_path, train=1, test=0, seed=seed).cases()[0].read() for seed in (0, 1))
    assert one.image.shape != two.image.shape or not np.array_equal(one.image, two.image)


def test_files_are_laid_out_as_acdc_has_them(tmp_path: Path) -> None:
    made = Phantom(tmp_path, train=1, test=1)
    made.cases()
    folder = made.folder / "training" / "patient001"
    info = dict(line.split(": ") for line in (folder / "Info.cfg").read_text().splitlines())
    assert list(info) == ["ED", "ES", "Group", "Height", "NbFrame", "Weight"]
    assert 1 == int(info["ED"]) < int(info["ES"]) < int(info["NbFrame"])
    frames = [f"patient001_frame{int(info[phase]):02d}" for phase in ("ED", "ES")]
    names = {f"{frame}{suffix}.nii.gz" for frame in frames for suffix in ("", "_gt")}
    assert {path.name for path in folder.iterdir()} == names | {"Info.cfg"}
    assert [path.name for path in (made.folder / "testing").iterdir()] == ["patient002"]
    assert len(ACDC(made.folder).cases()) == 4


def test_cases_tell_patient_phase_group_and_part(cases: Sequence[Case]) -> None:
    """Splits are made of these; the five groups take turns, so that each part has all of them."""
    assert len({case.id for case in cases}) == 30
    assert [case.group for case in cases[::2]] == ["NOR", "DCM", "HCM", "MINF", "RV"] * 3
    assert [case.part for case in cases] == ["train"] * 20 + ["test"] * 10
    assert [case.phase for case in cases] == ["ED", "ES"] * 15


def test_geometry_is_that_of_cine_mr_and_shared_by_both_phases(hearts: Hearts) -> None:
    shapes = set()
    for heart in hearts.values():
        ed, es = heart["ED"], heart["ES"]
        assert ed.image.shape == es.image.shape
        assert ed.spacing_mm == es.spacing_mm
        z, y, x = ed.spacing_mm
        assert 5 <= z <= 10
        assert 0.9 <= y == x <= 1.9
        _, slices, *matrix = ed.image.shape
        assert 6 <= slices <= 12
        assert all(154 <= n <= 256 for n in matrix)
        assert 275 <= max(matrix) * x <= 365
        shapes.add(ed.image.shape)
    assert len(shapes) > 5


def test_hearts_lie_in_the_central_180_mm(hearts: Hearts) -> None:
    """A protocol may crop; what it crops away must not be heart."""
    for heart in hearts.values():
        for volume in heart.values():
            for axis in (1, 2):
                where = np.flatnonzero(labels(volume).any(tuple({0, 1, 2} - {axis})))
                from_centre = where - (labels(volume).shape[axis] - 1) / 2
                assert np.abs(from_centre).max() * volume.spacing_mm[axis] <= 90


def test_volumes_are_those_of_adults(hearts: Hearts) -> None:
    for heart in hearts.values():
        assert 60 < volume_ml(heart["ED"], LV) < 330
        assert 60 < volume_ml(heart["ED"], RV) < 280
        assert 45 < volume_ml(heart["ED"], MYO) < 260
        # Muscle is hardly compressible: what a wall gains in thickness it loses in length.
        assert volume_ml(heart["ES"], MYO) == pytest.approx(volume_ml(heart["ED"], MYO), rel=0.2)


def test_groups_differ_as_their_definitions_say(hearts: Hearts, group_of: dict[str, str]) -> None:
    """The definitions of Bernard et al. 2018, so that a study of groups has something to find."""
    by_group = defaultdict(list)
    for patient, heart in hearts.items():
        by_group[group_of[patient]].append(heart)
    assert all(0.50 < ejection(h, LV) < 0.75 for h in by_group["NOR"])
    assert all(ejection(h, LV) < 0.40 and volume_ml(h["ED"], LV) > 180 for h in by_group["DCM"])
    assert all(ejection(h, LV) > 0.55 for h in by_group["HCM"])
    assert all(0.25 < ejection(h, LV) < 0.48 for h in by_group["MINF"])
    assert all(ejection(h, RV) < 0.40 and volume_ml(h["ED"], RV) > 170 for h in by_group["RV"])

    def muscle_per_pool(group: str) -> float:
        return min(volume_ml(h["ED"], MYO) / volume_ml(h["ED"], LV) for h in by_group[group])

    assert muscle_per_pool("HCM") > muscle_per_pool("NOR") > muscle_per_pool("DCM")


def test_the_pool_lies_within_its_muscle(hearts: Hearts) -> None:
    """Anatomy that a model or a clean-up may rely on: blood of the left ventricle touches only muscle."""
    cross = ndimage.generate_binary_structure(2, 1)[None]
    for heart in hearts.values():
        for volume in heart.values():
            rim = ndimage.binary_dilation(labels(volume) == LV, cross) & (labels(volume) != LV)
            assert (labels(volume)[rim] == MYO).all()


def test_the_right_ventricle_ends_before_the_left(hearts: Hearts) -> None:
    for heart in hearts.values():
        slices = {s: np.flatnonzero((labels(heart["ED"]) == s).any((1, 2))) for s in (RV, MYO)}
        assert slices[RV].min() == slices[MYO].min()
        assert slices[RV].max() < slices[MYO].max()


def test_some_slices_have_no_reference_but_few(hearts: Hearts) -> None:
    """Above the base and below the apex a reader marks nothing; metrics must meet that."""
    empty = [~labels(v).any((1, 2)) for heart in hearts.values() for v in heart.values()]
    assert 0 < np.concatenate(empty).mean() < 0.08


def test_blood_is_brighter_than_muscle(hearts: Hearts) -> None:
    """As in balanced steady-state images; without contrast there would be nothing to learn."""
    for heart in hearts.values():
        for volume in heart.values():
            mean = {s: volume.image[0][labels(volume) == s].mean() for s in (RV, MYO, LV)}
            assert mean[LV] > 1.4 * mean[MYO]
            assert mean[RV] > 1.2 * mean[MYO]


def test_a_threshold_fails(hearts: Hearts) -> None:
    """A score on these hearts must be worth something: the best global threshold stays below 0.8.

    Of all thresholds, as multiples of an image's mean, the best for all; of what is brighter, the
    component that overlaps the image's centre most.
    """
    levels = np.linspace(0.5, 5, 19)
    scores = []
    for heart in list(hearts.values())[:5]:
        for volume in heart.values():
            image, target = volume.image[0], labels(volume) == LV
            rows, columns = (
                np.abs(np.arange(n) - (n - 1) / 2) * volume.spacing_mm[1] for n in image.shape[1:]
            )
            centre = np.broadcast_to(np.hypot(rows[:, None], columns) < 30, image.shape)
            dice = []
            for level in levels:
                parts, count = ndimage.label(image > level * image.mean())
                found = np.zeros_like(target)
                if count:
                    overlap = np.bincount(parts[centre], minlength=count + 1)
                    found = parts == overlap[1:].argmax() + 1
                dice.append(2 * (found & target).sum() / (found.sum() + target.sum()))
            scores.append(dice)
    assert np.mean(scores, axis=0).max() < 0.8


def test_second_use_reads_without_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Phantom(tmp_path, train=1, test=1).cases()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    monkeypatch.setattr(phantom, "make_patient", lambda *_: pytest.fail("made again"))
    second = Phantom(tmp_path, train=1, test=1).cases()
    assert [case.files for case in first] == [case.files for case in second]
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def test_killed_half_way_goes_on(tmp_path: Path) -> None:
    """kill -9 while a patient is written leaves a folder that nobody reads, and no half patient."""
    Phantom(tmp_path / "whole", train=2, test=0).cases()
    program = (
        "import os, sys, pathlib\n"
        "from harness_cardiac import phantom\n"
        "write, calls = phantom._write_nifti, []\n"
        "def dying(*args):\n"
        "    calls.append(write(*args))\n"
        "    if len(calls) == 6: os.kill(os.getpid(), 9)\n"
        "phantom._write_nifti = dying\n"
        "phantom.Phantom(pathlib.Path(sys.argv[1]), train=2, test=0).cases()\n"
    )
    killed = subprocess.run([sys.executable, "-c", program, str(tmp_path / "killed")], check=False)
    assert killed.returncode != 0
    made = Phantom(tmp_path / "killed", train=2, test=0)
    assert not (made.folder / "training" / "patient002").exists()
    assert len(made.cases()) == 4
    left = {name: data for name, data in files(tmp_path / "killed").items() if "/." not in name}
    assert left == files(tmp_path / "whole")


def test_two_processes_at_once_make_one_set(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from harness_cardiac.phantom import Phantom\n"
        "print(len(Phantom(pathlib.Path(sys.argv[1]), train=2, test=1).cases()))\n"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.communicate() for process in both] == [("6\n", "")] * 2
    assert not list(tmp_path.rglob(".*"))


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(HarnessError, match="can't be written"):
        Phantom(tmp_path, train=1, test=0).cases()


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(phantom, "_write_nifti", full)
    with pytest.raises(HarnessError, match="no space left"):
        Phantom(tmp_path, train=1, test=0).cases()
    assert files(tmp_path) == {}


@pytest.mark.parametrize("wrong", [{"train": -1}, {"seed": 0.5}, {"test": True}, {"train": 0, "test": 0}])
def test_senseless_numbers_are_refused(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Phantom(tmp_path, **wrong)
