"""`harness data check` as a user meets it."""

import json
from pathlib import Path

from tiny_project import Project


def test_a_dataset_without_errors_is_one_table(project: Project) -> None:
    done = project("data", "check", "tiny")
    assert done.code == 0, done.err
    assert "16 cases of 8 patients (A 4, B 4)" in done.out
    assert "volumes" in done.out


def test_errors_are_exit_code_1_and_machines_can_read_them(project: Project) -> None:
    file = project.root / "harness_plugins.py"
    file.write_text(
        file.read_text().replace('structures={"RV": 1, "MYO": 2, "LV": 3}', 'structures={"RV": 1}')
    )
    done = project("data", "check", "tiny", "--json")
    assert done.code == 1
    findings = {one["check"]: one for one in json.loads(done.out)}
    assert findings["label values"]["severity"] == "error"
    assert "16 of 16 cases" in findings["label values"]["found"]
    assert not (project.root / "runs").exists()


def test_an_unknown_dataset_has_a_nearest_name(project: Project, tmp_path: Path) -> None:
    done = project("data", "check", "tinny")
    assert (done.code, len(done.err.strip().splitlines())) == (2, 1)
    assert "Did you mean 'tiny'" in done.err
    done = project("data", "check", "acdc", "--data", f"acdc={tmp_path / 'nowhere'}")
    assert done.code == 2
    assert "CC BY-NC-SA" in done.err
