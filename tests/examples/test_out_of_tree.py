"""A stranger's distribution: built and installed apart, found, trained and ranked beside the built-ins."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_project import Project

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_an_installed_distribution_is_ranked_without_touching_the_repository(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = shutil.copytree(
        EXAMPLES / "wide_unet", tmp_path / "wide_unet", ignore=shutil.ignore_patterns("build", "*.egg-info")
    )
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--target", site, source], check=True)
    monkeypatch.setenv("PYTHONPATH", str(site))
    listed = {row["name"]: row for row in json.loads(project("plugins", "--json").out)}
    assert listed["wide-unet"]["state"] == "ok"
    assert listed["wide-unet"]["distribution"] == "harness-wide-unet"
    result = project("run", "tiny", "-m", "wide-unet", "-m", "tiny-net")
    monkeypatch.delenv("PYTHONPATH")
    assert result.code == 0, result.err
    board = json.loads((project.root / "leaderboards" / "tiny" / "leaderboard.json").read_text())
    assert {entry["model"]: entry["state"] for entry in board["entries"]} == {
        "wide-unet": "done",
        "tiny-net": "done",
        "tiny-net-3d": "waiting",
    }
    assert sorted(entry["rank"] for entry in board["entries"] if entry["rank"]) == [1, 2]
    (record,) = (
        json.loads((run / "record.json").read_text())
        for run in project.run_folders()
        if run.name.startswith("wide-unet")
    )
    assert record["plugins"]["model"]["distribution"].startswith("harness-wide-unet")
    # Its record stays on the leaderboard where the distribution is not installed.
    assert "wide-unet" in project("leaderboard", "tiny").out


def test_the_single_file_example_is_ranked(project: Project) -> None:
    shutil.copy(EXAMPLES / "my_model.py", project.root / "my_model.py")
    result = project("run", "tiny", "-p", "my_model.py", "-m", "dilated")
    assert result.code == 0, result.err
    assert "dilated" in result.out
