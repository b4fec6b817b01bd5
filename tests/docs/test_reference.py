"""Every hook, command, option and key is documented, and what is written from code is not stale."""

from __future__ import annotations

import importlib.util
import re
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from pydantic import BaseModel

from harness.cli.main import VERBS
from harness.config.protocol import PerDims
from harness.config.settings import Settings
from harness.plugins.hooks import SPECS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    """docs/reference.py."""
    spec = importlib.util.spec_from_file_location("docs_reference", DOCS / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_nothing_is_stale(reference: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert reference.main(["--check"]) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("page", "old", "new"),
    [
        ("hooks.md", "Observe that a run starts", "Observe that a run begins"),
        ("api.md", "Train and evaluate entries", "Train entries"),
        ("commands.md", "| `--pdb` |", "| `--pbd` |"),
        ("architecture.md", "    page --> views", "    views --> page"),
        ("architecture.md", "| `predict` | Prediction of whole volumes", "| `predict` | Prediction"),
    ],
)
def test_a_stale_page_is_found_and_written_anew(
    reference: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], page: str, old: str, new: str
) -> None:
    for name in ("hooks.md", "api.md", "commands.md", "architecture.md"):
        shutil.copy(DOCS / name, tmp_path / name)
    file = tmp_path / page
    right = file.read_text()
    assert old in right
    file.write_text(right.replace(old, new))
    assert reference.main(["--check", "--docs", str(tmp_path)]) == 1
    assert f"{file} is stale" in capsys.readouterr().err
    assert file.read_text() != right
    assert reference.main(["--docs", str(tmp_path)]) == 0
    assert file.read_text() == right


def test_the_architecture_shows_the_arrows_that_the_test_enforces() -> None:
    """A room on the map is in the table with all that it may import, and everything drawn is on the map."""
    below = runpy.run_path(str(ROOT / "tests" / "test_arrows.py"))["BELOW"]
    page = (DOCS / "architecture.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    assert {room: set(re.findall(r"`(\w+)`", lower)) for room, lower in rows if room in below} == below
    drawn = re.findall(r"^    (\w+) --> (\w+)$", page, re.MULTILINE)
    assert drawn
    assert all(lower in below[room] for room, lower in drawn)


@pytest.mark.parametrize("name", SPECS)
def test_every_hook_is_in_the_reference_and_in_the_architecture(name: str) -> None:
    assert f"## {name}\n" in (DOCS / "hooks.md").read_text()
    architecture = (DOCS / "architecture.md").read_text()
    observing = name.removeprefix("harness_run_").removeprefix("harness_")
    assert f"`{name}" in architecture or (
        observing in architecture and "harness_run_started/" in architecture
    )


@pytest.mark.parametrize("verb", [verb.NAME for verb in VERBS if verb.SUMMARY])
def test_every_verb_is_in_the_table_of_commands(verb: str) -> None:
    assert re.search(rf"^\| `{verb}\b", (DOCS / "commands.md").read_text(), re.MULTILINE)


def keys(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    """(path, name) of every key of harness.toml."""
    for name, field in model.model_fields.items():
        yield path, field.alias or name
        inner = field.annotation
        if getattr(inner, "__origin__", None) is dict:
            inner = inner.__args__[1]
        if isinstance(inner, type) and issubclass(inner, BaseModel) and not issubclass(inner, PerDims):
            yield from keys(inner, f"{path}.{name}".strip("."))


@pytest.mark.parametrize(("path", "name"), list(keys(Settings)))
def test_every_key_of_harness_toml_is_in_the_page_of_the_protocol(path: str, name: str) -> None:
    text = (DOCS / "protocol.md").read_text()
    leaf = path.rpartition(".")[2]
    forms = (f"`{name}`", f"`{leaf}.{name}`", f"`[{name}]`", f"`[{name}.NAME]`")
    assert any(form in text for form in forms)
