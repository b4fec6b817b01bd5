"""``harness plugins``: everything that is there, and everything that is broken, on one page."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cli.verbs import plugins
from harness.errors import ConfigError

ROOT = Path(__file__).parents[3]

GOOD = """
from harness import Loss, Model, hookimpl
@hookimpl
def harness_models():
    yield Model("cli-net", "cli_good:Net", 2, "a net with a summary that says much about what it is good for")
@hookimpl
def harness_losses():
    yield Loss("cli-loss", "cli_good:Loss", "a loss", version=3)
"""
LONG = """
from harness import Dataset, hookimpl
@hookimpl
def harness_datasets():
    yield Dataset("cli-multi-centre-dataset", "cli_long:Data", "hearts of many centres " * 5)
"""
TWICE = """
from harness import Model, hookimpl
@hookimpl
def harness_models():
    yield Model("cli-net", "cli_twice:Net", 2, "another net")
"""
BAD = "import not_there_at_all\n"


def arguments(*words: str) -> argparse.Namespace:
    """Parsed as the command line does it: common options, and the verb's own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-p", dest="plugin_files", type=Path, action="append", default=[])
    parser.add_argument("--config", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true")
    plugins.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    for name, text in (
        ("cli_good.py", GOOD),
        ("cli_twice.py", TWICE),
        ("cli_bad.py", BAD),
        ("cli_long.py", LONG),
    ):
        (tmp_path / name).write_text(text)
    yield
    for name in ("cli_good", "cli_twice", "cli_long", "harness_plugins"):
        sys.modules.pop(name, None)


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    assert plugins.run(arguments("--json", *words)) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return [row for row in found if row["distribution"].startswith("cli_")]


def test_json_has_what_the_table_has(capsys, tmp_path: Path) -> None:
    net, loss = listed(capsys, "-p", "cli_good.py")
    assert net["name"] == "cli-net"
    assert loss == {
        "name": "cli-loss",
        "kind": "loss",
        "summary": "a loss",
        "version": 3,
        "target": "cli_good:Loss",
        "distribution": "cli_good.py",
        "distribution_version": None,
        "origin": str(tmp_path / "cli_good.py"),
        "state": "ok",
        "error": None,
        "remedy": None,
    }


def test_what_is_broken_is_a_row_and_no_failure(capsys) -> None:
    rows = listed(capsys, "-p", "cli_bad.py", "-p", "cli_good.py")
    assert [(row["name"], row["state"]) for row in rows] == [
        ("cli-net", "ok"),
        ("cli-loss", "ok"),
        ("cli_bad.py", "broken"),
    ]
    assert rows[2]["error"] == "ModuleNotFoundError: No module named 'not_there_at_all' (cli_bad.py:1)"
    assert rows[2]["remedy"] == "Install the package that provides 'not_there_at_all'."
    assert set(rows[2]) == set(rows[0])


def test_duplicates_are_a_row_each(capsys) -> None:
    rows = listed(capsys, "-p", "cli_good.py", "-p", "cli_twice.py", "--kind", "model")
    assert [(row["distribution"], row["state"]) for row in rows] == [
        ("cli_good.py", "duplicate"),
        ("cli_twice.py", "duplicate"),
    ]
    assert "cli_good.py and by cli_twice.py" in rows[0]["error"]


def test_a_kind_selects_and_keeps_what_may_be_of_it(capsys) -> None:
    rows = listed(capsys, "-p", "cli_good.py", "-p", "cli_bad.py", "--kind", "loss")
    assert [row["name"] for row in rows] == ["cli-loss", "cli_bad.py"]


@pytest.mark.parametrize("width", [80, 140])
def test_the_table_fits_the_page(capsys, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    files = [word for name in ("good", "twice", "bad", "long") for word in ("-p", f"cli_{name}.py")]
    assert plugins.run(arguments(*files)) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= width
    words = " ".join(out.split())
    for part in ("duplicate", "broken", "ok", "not_there_at_all", "Remedy: Rename it"):
        assert part in words
    for name in ("cli-net", "cli-loss", "cli_twice.py", "cli-multi-centre-dataset"):
        assert name in words, "torn apart"
    head = next(line for line in out.splitlines() if "summary" in line)
    distribution = ["distribution"] if width == 140 else []
    assert head.split() == ["name", "kind", "summary", "version", *distribution, "state"]


def test_square_brackets_in_a_summary_are_shown_as_they_are(capsys, tmp_path: Path) -> None:
    (tmp_path / "cli_good.py").write_text(GOOD.replace('"a loss"', '"a [bold] loss"'))
    plugins.run(arguments("-p", "cli_good.py"))
    assert "a [bold] loss" in " ".join(capsys.readouterr().out.split())


def test_the_traceback_is_behind_v(capsys) -> None:
    plugins.run(arguments("-p", "cli_bad.py"))
    assert "Traceback" not in capsys.readouterr().out
    plugins.run(arguments("-p", "cli_bad.py", "-v"))
    assert "Traceback" in capsys.readouterr().out


def test_the_projects_own_file_is_found_from_a_subfolder(capsys, tmp_path: Path, monkeypatch) -> None:
    project = tmp_path / "project"
    (project / "deep").mkdir(parents=True)
    (project / "harness.toml").write_text("")
    (project / "harness_plugins.py").write_text(GOOD)
    monkeypatch.chdir(project / "deep")
    plugins.run(arguments("--json"))
    assert "cli-net" in capsys.readouterr().out
    monkeypatch.chdir(tmp_path)
    plugins.run(arguments("--json"))
    assert "cli-net" not in capsys.readouterr().out
    plugins.run(arguments("--json", "--config", str(project / "harness.toml")))
    assert "cli-net" in capsys.readouterr().out


def test_a_config_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match="file not found"):
        plugins.run(arguments("--config", "nowhere.toml"))


@pytest.mark.parametrize("option", ["--json", "--kind=model"])
def test_listing_imports_no_heavy_library(tmp_path: Path, option: str) -> None:
    code = (
        "import argparse, sys\n"
        "from pathlib import Path\n"
        "from harness.cli.verbs import plugins\n"
        "parser = argparse.ArgumentParser()\n"
        "parser.set_defaults(config=None, verbose=False, plugin_files=[Path(sys.argv.pop())])\n"
        "plugins.add_arguments(parser)\n"
        "plugins.run(parser.parse_args())\n"
        "print(sorted({'torch', 'numpy', 'pandas', 'pydantic', 'scipy'} & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, option, str(tmp_path / "cli_good.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
    assert "cli-net" in done.stdout
