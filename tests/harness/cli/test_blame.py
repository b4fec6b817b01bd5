"""An error in a plugin points at the plugin's line, whichever command met it, not at the harness's."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from tiny_project import Project

from harness.errors import OK, RUNS_FAILED, USAGE

WRONG = Path(__file__).parents[2] / "kit" / "wrong.py"

LINES = {
    mark[1]: f"wrong.py:{number}"
    for number, line in enumerate(WRONG.read_text().splitlines(), 1)
    if (mark := re.search(r"  # ([\w-]+)$", line))
}


@pytest.fixture
def wrong(project: Project) -> Project:
    """The tiny project with the file of mistakes."""
    shutil.copy(WRONG, project.root / "wrong.py")
    return project


def test_a_run_says_the_plugins_line(wrong: Project) -> None:
    for words in (["-m", "wrong-backward"], ["-m", "tiny-net", "-l", "wrong-loss"]):
        assert wrong("run", "tiny", "-p", "wrong.py", *words).code == RUNS_FAILED
    records = [json.loads((run / "record.json").read_text()) for run in wrong.run_folders()]
    failures = {record["spec"]["label"]: record["failure"] for record in records}
    assert set(failures) == {"wrong-backward + log-dice", "tiny-net + wrong-loss"}
    for label, failure in failures.items():
        (name,) = (name for name in LINES if name in label)
        assert failure["blame"] == "plugin"
        assert f"{name} ({LINES[name]}): " in failure["message"]


@pytest.mark.parametrize("name", ["wrong-reading", "wrong-listing"])
def test_a_plan_says_the_datasets_line(name: str, wrong: Project) -> None:
    result = wrong("plan", "tiny", "-p", "wrong.py", "-m", "tiny-net", "-d", name)
    assert result.code == USAGE
    assert f"({LINES[name]})" in result.err
    assert result.err.count("\n") == 1


def test_a_check_says_the_plugins_line_once(wrong: Project) -> None:
    result = wrong("plugins", "check", "wrong-*", "-p", "wrong.py", "--json")
    assert result.code == RUNS_FAILED
    found = {row["plugin"]: row["found"] for row in json.loads(result.out) if row["result"] == "failed"}
    # The tiny project has a model of that name too.
    del found["wrong-shape"]
    assert {name: re.findall(r"\w+\.py:\d+", text) for name, text in found.items()} == {
        name: [line] for name, line in LINES.items()
    }


def test_a_file_that_can_not_be_imported_says_the_line_that_imports(wrong: Project) -> None:
    (wrong.root / "half.py").write_text("from harness import Model, hookimpl\n\nimport not_there\n")
    result = wrong("plugins", "-p", "half.py", "--json")
    assert result.code == OK
    (card,) = (row for row in json.loads(result.out) if row["state"] == "broken")
    assert card["error"].endswith("(half.py:3)")
