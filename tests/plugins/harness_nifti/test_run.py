"""From a folder to a ranked table: two organs, two channels, no phases, and no heart anywhere."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_organs import STRUCTURES, decathlon, nnunet
from tiny_project import Project, make_project

SETTINGS = """
[leaderboard.organs]
protocol = "organs"
models = {models}
losses = ["log-dice"]
datasets = ['{dataset}']

[protocol.organs]
spacing_mm = 1.5
crop = [24, 24]
learning_rate = 0.05
epochs = {{ 2d = 30, 3d = 30 }}
batch = {{ 2d = 6, 3d = 2 }}
depth = 4
largest_component = false
validation = 0.2
{split}

[datasets.nifti]
root = "data"
"""


def project(root: Path, models: list[str], dataset: str, split: str) -> Project:
    made = make_project(root)
    text = SETTINGS.format(models=json.dumps(models), dataset=dataset, split=split)
    (made.root / "harness.toml").write_text(text)
    return made


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """nnU-Net's layout with an official test part, run with a 2D and a 3D net."""
    made = project(
        tmp_path_factory.mktemp("organs") / "project",
        ["tiny-net", "tiny-net-3d"],
        r"nifti[patient=^([pq]\d+)]",
        'split = "official"\nkeep_predictions = true',
    )
    ids = [f"p{number // 2:02}_visit{number % 2}" for number in range(8)]
    nnunet(made.root / "data", ids, ["q00_visit0", "q01_visit0"])
    done = made("run", "organs")
    assert done.code == 0, done.err
    assert "gland" in done.out
    assert "stone pair" in done.out
    return made


def dice(folder: Path) -> dict[str, list[float]]:
    """Dice of every scored case of a run, by structure."""
    found: dict[str, list[float]] = {name: [] for name in STRUCTURES}
    for line in (folder / "cases.jsonl").read_text().splitlines():
        row: dict[str, Any] = json.loads(line)
        if row["metric"] == "dice":
            found[row["structure"]].append(row["value"])
    return found


def test_nnunet_layout_becomes_a_ranked_table(ranked: Project) -> None:
    """Both nets are ranked, and see both channels: each organ shows in one of them only."""
    specs = [json.loads((folder / "spec.json").read_text()) for folder in ranked.run_folders()]
    assert [spec["dataset"]["structures"] for spec in specs] == [STRUCTURES] * 2
    assert [spec["dataset"]["phases"] for spec in specs] == [[], []]
    assert [(spec["dataset"]["cases"], spec["dataset"]["patients"]) for spec in specs] == [(10, 6)] * 2
    assert all(spec["parts"]["test"] == ["q00", "q01"] for spec in specs)
    for folder in ranked.run_folders():
        found = dice(folder)
        assert [len(values) for values in found.values()] == [2, 2]
        # With one of the two equal stones lost, Dice can't be above 2 / 3.
        assert min(min(values) for values in found.values()) > 0.7, (folder.name, found)


def test_tables_are_made_without_phases_and_without_a_heart(ranked: Project) -> None:
    """Views and comparisons say the organs' names; clinical indices are refused in a line."""
    done = ranked("leaderboard", "organs", "--view", "hausdorff")
    assert done.code == 0, done.err
    assert "stone pair" in done.out
    done = ranked("leaderboard", "organs", "--view", "clinical")
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    done = ranked("compare", "tiny-net + log-dice", "tiny-net-3d + log-dice")
    assert done.code == 0, done.err
    assert "stone pair" in done.out
    written = {path.name for path in (ranked.root / "leaderboards" / "organs").iterdir()}
    assert "leaderboard.csv" in written
    assert "clinical.csv" not in written


def test_predictions_named_as_nnunet_names_them_are_scored(
    ranked: Project, copy_of: Callable[[Project], Project]
) -> None:
    """Its own predictions lie beside ours on one leaderboard."""
    made = copy_of(ranked)
    (own,) = (folder for folder in made.run_folders() if folder.name.startswith("tiny-net-3d"))
    done = made("score", str(own / "predictions"), "--dataset", "nifti", "--as", "twin")
    assert done.code == 0, done.err
    (twin,) = (folder for folder in made.run_folders() if folder.name.startswith("twin"))
    assert dice(twin) == dice(own)


def test_decathlon_layout_becomes_a_ranked_table(tmp_path: Path) -> None:
    """4D images, labels by number, a list of cases, and folds, as there is no labelled test part."""
    made = project(tmp_path / "project", ["tiny-net"], "nifti", 'split = "folds"\nfolds = 3\nrun_folds = [0]')
    decathlon(made.root / "data", [f"made_{number:03}" for number in range(6)])
    done = made("run", "organs")
    assert done.code == 0, done.err
    (folder,) = made.run_folders()
    spec = json.loads((folder / "spec.json").read_text())
    assert spec["dataset"]["structures"] == STRUCTURES
    assert (spec["dataset"]["cases"], spec["dataset"]["patients"]) == (6, 6)
    assert "stone pair" in done.out


def test_an_audit_lists_all_broken_cases(tmp_path: Path) -> None:
    """One broken file must not hide the next."""
    made = make_project(tmp_path / "project")
    data = nnunet(tmp_path / "organs", ["a", "b", "c", "d"])
    done = made("data", "check", "nifti", "--data", f"nifti={data}")
    assert done.code == 0, done.err
    assert "4 cases of 4 patients" in done.out
    (data / "imagesTr" / "a_0001.nii.gz").unlink()
    (data / "imagesTr" / "b_0000.nii.gz").unlink()
    (data / "imagesTr" / "b_0001.nii.gz").unlink()
    (data / "labelsTr" / "c.nii.gz").unlink()
    done = made("data", "check", "nifti", "--data", f"nifti={data}", "--json")
    assert done.code == 1
    findings = {one["check"]: one for one in json.loads(done.out)}
    told = findings["files"]["found"]
    assert "3 of 4 cases" in told
    assert "channel ADC of a is missing: there is no a_0001.nii.gz" in told
    assert "label without image: there is no b_0000.nii.gz" in told
    assert "image without label: there is no c.nii.gz" in told


def test_a_folder_gets_a_name_of_its_own_by_the_documented_file(tmp_path: Path) -> None:
    """Two such datasets in one project must not both be called nifti."""
    docs = Path(__file__).parents[3] / "docs" / "datasets.md"
    (code,) = re.findall(r"```python\n(.*?)```", docs.read_text(), re.DOTALL)
    made = make_project(tmp_path / "project")
    (made.root / "spleen.py").write_text(code)
    data = decathlon(tmp_path / "spleen", ["spleen_2", "spleen_3"])
    done = made("data", "check", "spleen", "-p", "spleen.py", "--data", f"spleen={data}")
    assert done.code == 0, done.err
    assert "2 cases of 2 patients" in done.out
