"""`harness score` and `harness rescore` as a user meets them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from tiny_project import Project, tiny_heart

Copier = Callable[[Project], Project]

SPACING_MM = (8.0, 1.5, 1.5)
TESTED = ("p06_ED", "p06_ES", "p07_ED", "p07_ES")


def reference(case: str) -> Any:
    return tiny_heart(int(case[1:3]), case[4:]).labels


def write(path: Path, labels: Any, spacing_mm: tuple[float, ...] = SPACING_MM) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nifti: Any = nibabel.Nifti1Image
    nibabel.save(nifti(labels.T.astype(np.uint8), np.diag([*spacing_mm[::-1], 1.0])), path)


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    """The reference itself, as another tool might have predicted it."""
    for case in TESTED:
        write(tmp_path / "theirs" / f"{case}.nii.gz", reference(case))
    return tmp_path / "theirs"


def score(project: Project, folder: Path, *more: str, name: str = "their tool 2.8") -> Any:
    return project("score", str(folder), "--dataset", "tiny", "--as", name, *more)


def entries(project: Project, name: str = "tiny") -> dict[str, dict[str, Any]]:
    board = json.loads((project.root / "leaderboards" / name / "leaderboard.json").read_text())
    return {entry["model"]: entry for entry in board["entries"]}


def test_a_perfect_prediction_ranks_first_and_costs_nothing(
    done_project: Project, copy_of: Copier, predictions: Path
) -> None:
    project = copy_of(done_project)
    done = score(project, predictions)
    assert done.code == 0, done.err
    theirs = entries(project)["their tool 2.8"]
    assert (theirs["rank"], theirs["loss"], theirs["state"]) == (1, "external", "done")
    assert theirs["overall"] == {"dice": 1, "hd": 0, "hd95": 0, "assd": 0}
    assert set(theirs["cost"].values()) == {None}
    assert theirs["clinical"]["lv-edv"]["bias"] == 0
    assert entries(project)["tiny-net"]["rank"] > 1
    row = next(line for line in done.out.splitlines() if "their tool" in line)
    assert "external" in row
    assert "—" in row


def test_a_missing_case_is_named_and_pays(done_project: Project, copy_of: Copier, predictions: Path) -> None:
    project = copy_of(done_project)
    (predictions / "p07_ES.nii.gz").unlink()
    write(predictions / "stray.nii.gz", reference("p07_ES"))
    write(predictions / "p00_ED.nii.gz", reference("p00_ED"))
    done = score(project, predictions)
    assert done.code == 0, done.err
    assert "no prediction of p07_ES" in done.out
    assert "not scored, because these files match no case: stray.nii.gz" in done.out
    assert "because these cases are in no test set: p00_ED" in done.out
    lv = entries(project)["their tool 2.8"]["scores"]
    told = {"mean": 0.5, "sd": 0.5**0.5, "n": 2, "penalised": 1, "excluded": 0}
    assert lv["dice"]["LV"]["ES"].items() >= told.items()
    # Half of the diagonal of 3 x 24 x 24 voxels.
    assert lv["hd"]["LV"]["ES"]["mean"] == pytest.approx(np.sqrt(24.0**2 + 2 * 36.0**2) / 2)
    assert "no prediction of 1 case" in done.out


def test_label_values_of_another_tool(done_project: Project, copy_of: Copier, tmp_path: Path) -> None:
    """Other challenges number the structures otherwise."""
    project = copy_of(done_project)
    for case in TESTED:
        write(tmp_path / "theirs" / case[:3] / f"{case}.nii", np.array([0, 3, 2, 1])[reference(case)])
    swapped = score(project, tmp_path / "theirs", "--json")
    assert swapped.code == 0, swapped.err
    assert entries(project)["their tool 2.8"]["scores"]["dice"]["LV"]["ED"]["mean"] < 0.5
    done = score(project, tmp_path / "theirs", "--labels", "LV=1,MYO=2,RV=3", "--json")
    assert json.loads(done.out)["scored"] == 4
    assert entries(project)["their tool 2.8"]["overall"]["dice"] == 1


@pytest.mark.parametrize(
    ("labels", "spacing_mm", "told"),
    [
        (np.full((3, 24, 24), 4), SPACING_MM, "label values [4] are not among RV=1, MYO=2, LV=3"),
        (np.zeros((3, 24, 20)), SPACING_MM, "has shape (3, 24, 20), the reference has (3, 24, 24)"),
        (np.zeros((3, 24, 24)), (1.0, 1.0, 1.0), "has spacing (1.0, 1.0, 1.0) mm, the reference has"),
    ],
)
def test_what_does_not_fit_is_one_line_and_changes_nothing(
    done_project: Project,
    copy_of: Copier,
    predictions: Path,
    labels: Any,
    spacing_mm: tuple[float, ...],
    told: str,
) -> None:
    project = copy_of(done_project)
    assert score(project, predictions).code == 0
    before = entries(project)["their tool 2.8"]
    write(predictions / "p07_ED.nii.gz", labels, spacing_mm)
    done = score(project, predictions)
    assert done.code == 2
    assert told in done.err
    assert "p07_ED.nii.gz" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert project("leaderboard", "tiny").code == 0
    assert entries(project)["their tool 2.8"] == before
    assert not list(project.root.glob("runs/*/predictions.new"))


def test_wrong_arguments_say_what_to_do(project: Project, predictions: Path, tmp_path: Path) -> None:
    for arguments, told in {
        (str(predictions), "--dataset", "tini"): "Did you mean 'tiny'",
        (str(tmp_path / "nowhere"), "--dataset", "tiny"): "no such folder",
        (str(tmp_path), "--dataset", "tiny", "--labels", "LV=1,XX=2"): "no structure 'XX'",
        (str(tmp_path), "--dataset", "tiny", "--labels", "LV=1"): "Name all of them",
        (str(project.root), "--dataset", "tiny"): "Name them like p00_ED.nii.gz",
    }.items():
        done = project("score", *arguments, "--as", "x")
        assert (done.code, len(done.err.strip().splitlines())) == (2, 1), done.err
        assert told in done.err
    write(predictions / "again" / "p06_ED.nii", reference("p06_ED"))
    doubled = score(project, predictions)
    assert doubled.code == 2
    assert "both match p06_ED" in doubled.err
    assert not list(project.root.glob("runs/*/record.json"))


def test_medpy_as_the_engine_agrees(project: Project, predictions: Path) -> None:
    write(predictions / "p06_ED.nii.gz", np.roll(reference("p06_ED"), 2, axis=2))
    done = score(project, predictions, "--engine", "medpy")
    assert done.code == 0, done.err
    (line,) = [line for line in done.out.splitlines() if line.startswith("largest difference")]
    assert {float(word.rstrip(",")) for word in line.split() if word[0].isdigit()} == {0.0}
    assert entries(project)["their tool 2.8"]["overall"]["hd"] > 0


def test_rescore_after_a_change_of_metrics_trains_nothing(project: Project, predictions: Path) -> None:
    file = project.root / "harness.toml"
    file.write_text(file.read_text() + "keep_predictions = true\n")
    assert project("run", "tiny", "-m", "tiny-net").code == 0
    assert score(project, predictions).code == 0
    weights = {path: path.stat().st_mtime_ns for path in project.root.glob("runs/*/weights.pt")}
    before = entries(project)

    file.write_text(file.read_text() + 'metrics = ["dice", "hd", "nsd@2mm"]\n')
    done = project("rescore", "tiny", "-m", "tiny-net")
    assert done.code == 0, done.err
    assert "scored 2 of 2 runs again" in done.out
    assert {path: path.stat().st_mtime_ns for path in weights} == weights
    after = entries(project)
    for name in ("tiny-net", "their tool 2.8"):
        assert set(after[name]["overall"]) == {"dice", "hd", "nsd@2mm"}
        for metric in ("dice", "hd"):
            assert after[name]["scores"][metric] == before[name]["scores"][metric]
        assert after[name]["cost"] == before[name]["cost"]
    assert after["their tool 2.8"]["overall"]["nsd@2mm"] == 1
    assert "done   " in project("plan", "tiny", "-m", "tiny-net").out


def test_rescore_says_what_it_can_not_do(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    done = project("rescore", "tiny", "--json")
    assert done.code == 1
    assert set(json.loads(done.out)["left"].values()) == {
        "its predictions were not saved; set keep_predictions = true, and harness run predicts again"
    }


def test_a_damaged_prediction_is_left_alone(project: Project) -> None:
    file = project.root / "harness.toml"
    file.write_text(file.read_text() + "keep_predictions = true\n")
    assert project("run", "tiny", "-m", "tiny-net").code == 0
    before = entries(project)["tiny-net"]
    next(project.root.glob("runs/*/predictions/p06_ED.nii.gz")).write_bytes(b"\x1f\x8b nothing")
    done = project("rescore", "tiny", "-m", "tiny-net")
    assert done.code == 1
    assert "p06_ED.nii.gz" in done.out
    assert project("leaderboard", "tiny").code == 0
    assert entries(project)["tiny-net"] == before


def test_kept_predictions_are_the_ones_that_were_scored(project: Project) -> None:
    """Scoring the kept label maps as if another tool had made them gives the same row."""
    file = project.root / "harness.toml"
    file.write_text(file.read_text() + "keep_predictions = true\n")
    assert project("run", "tiny", "-m", "tiny-net").code == 0
    (folder,) = project.root.glob("runs/tiny-net*/predictions")
    assert sorted(path.name for path in folder.iterdir()) == [f"{case}.nii.gz" for case in TESTED]
    assert score(project, folder, name="copy").code == 0
    rows = entries(project)
    assert rows["copy"]["scores"] == rows["tiny-net"]["scores"]
    assert rows["copy"]["rank"] == rows["tiny-net"]["rank"] == 1


def test_predictions_of_another_clean_up_are_not_scored_again(project: Project) -> None:
    """What lies there from before the run was predicted anew is gone with it."""
    file = project.root / "harness.toml"
    text = file.read_text()
    file.write_text(text + "keep_predictions = true\n")
    assert project("run", "tiny", "-m", "tiny-net").code == 0
    file.write_text(text + "largest_component = false\n")
    assert project("run", "tiny", "-m", "tiny-net").code == 0
    assert not list(project.root.glob("runs/*/predictions"))
    done = project("rescore", "tiny", "-m", "tiny-net", "--json")
    assert list(json.loads(done.out)["left"].values()) == [
        "its predictions were not saved; set keep_predictions = true, and harness run predicts again"
    ]
