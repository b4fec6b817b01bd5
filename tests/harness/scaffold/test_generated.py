"""What ``plugins new`` writes: code that runs, keeps its contract and satisfies linters."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from harness import Model
from harness.plugins.hooks import RETURNS, call, find_hooks
from harness.plugins.records import Kind
from harness.scaffold import write_plugin
from harness.scaffold.names import LONGEST
from harness.testing import run_checks, subjects_of

ROOT = Path(__file__).parents[3]

KINDS: tuple[Kind, ...] = ("model", "loss", "dataset")
SHORT = {kind: f"g{kind[0]}" for kind in KINDS}
LONG = {kind: f"a.b_{kind}-{'n' * LONGEST}"[:LONGEST] for kind in KINDS}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a distribution and a file of each kind, with short and with long names."""
    folder = tmp_path_factory.mktemp("written")
    for kind in KINDS:
        write_plugin(folder, SHORT[kind], kind)
        write_plugin(folder, LONG[kind], kind)
        write_plugin(folder, f"{SHORT[kind]}-file", kind, single_file=True)
        write_plugin(folder, f"x{LONG[kind]}"[:LONGEST], kind, single_file=True)
    return folder


@pytest.fixture
def module_of(written, monkeypatch):
    """Import what was written, as installed."""
    before = set(sys.modules)

    def load(kind, form):
        place = written / SHORT[kind] if form == "distribution" else written
        monkeypatch.syspath_prepend(place)
        return importlib.import_module(
            f"harness_{SHORT[kind]}" if form == "distribution" else f"{SHORT[kind]}_file"
        )

    yield load
    for name in set(sys.modules) - before:
        if name.startswith(("harness_g", "gm_", "gl_", "gd_")):
            del sys.modules[name]


def example_of(module):
    """The function of a dataset that writes data in its layout."""
    if hasattr(module, "write_example"):
        return module.write_example
    return importlib.import_module(f"{module.__name__}.example").write_example


@pytest.mark.parametrize("form", ["distribution", "file"])
@pytest.mark.parametrize("kind", KINDS)
def test_it_passes_every_check(kind, form, module_of):
    module = module_of(kind, form)
    name = SHORT[kind] if form == "distribution" else f"{SHORT[kind]}-file"
    roots = {name: example_of(module)} if kind == "dataset" else {}
    (subject,) = subjects_of(module, {}, roots)
    assert subject.record.name == name
    outcomes = run_checks(subject)
    assert {one.check: one.found for one in outcomes if one.state not in ("ok", "info")} == {}


@pytest.mark.parametrize("form", ["distribution", "file"])
def test_the_network_serves_volumes_by_one_word(form, module_of):
    """Its README promises that dims=3 is all that has to be changed."""
    module = module_of("model", form)
    (record,), _ = call("harness_models", find_hooks(module)[0]["harness_models"])
    assert isinstance(record, Model)
    record = replace(record, dims=3)
    (subject,) = subjects_of(record, {record.name: {"width": 2, "depth": 2}}, {})
    assert [one.found for one in run_checks(subject) if one.state == "failed"] == []


def test_linters_have_nothing_to_say(written):
    """Neither under the rules that it brings along, nor under ours, nor under the formatter's own."""
    pytest.importorskip("ruff")
    ruff = [sys.executable, "-m", "ruff"]
    quiet = ["--no-cache", "-q"]
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["select"]
    for words in (
        ["check", *quiet, "."],
        ["check", *quiet, "--isolated", "--select", ",".join({*ours} - {"I"}), "."],
        ["format", *quiet, "--check", "."],
    ):
        done = subprocess.run([*ruff, *words], cwd=written, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_types_are_strict(written, tmp_path, request):
    pytest.importorskip("mypy")
    # What mypy knows of torch takes ten seconds to find out, and is the same the next time.
    cache = getattr(request.config, "cache", None)
    known = tmp_path / "mypy" if cache is None else cache.mkdir("mypy")
    sources = [written / name / f"harness_{name}" for name in SHORT.values()]
    files = [written / f"{name}_file.py" for name in SHORT.values()]
    tests = [written / SHORT["dataset"] / "tests" / "test_contract.py"]
    # Silent: in an installed harness mypy reports nothing either, only in the author's own files.
    strict = ["--strict", "--follow-imports=silent"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *strict, "--cache-dir", known, *sources, *files, *tests],
        cwd=tmp_path,
        env={
            **os.environ,
            "MYPYPATH": os.pathsep.join(map(str, (ROOT, ROOT / "plugins", written / SHORT["dataset"]))),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_own_test_passes(written):
    """As a user runs it: the distribution's folder is on the path, as after pip install -e."""
    place = written / SHORT["dataset"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=place,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(place), *sys.path)))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "17 passed" in done.stdout


@pytest.mark.parametrize("names", [SHORT, LONG])
@pytest.mark.parametrize("kind", KINDS)
def test_the_distribution_names_its_module_as_the_entry_point(kind, names, written):
    folder = written / names[kind]
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    (entry,) = project["project"]["entry-points"]["harness"].items()
    assert entry[0] == names[kind]
    assert project["tool"]["setuptools"]["packages"] == [entry[1]]
    assert (folder / entry[1] / "__init__.py").is_file()
    text = (folder / entry[1] / "__init__.py").read_text()
    assert any(hook in text for hook in RETURNS)
    assert names[kind] in (folder / "README.md").read_text()


def test_the_leaderboard_that_comes_along_is_the_repositorys(tmp_path):
    """Its records can then be ranked with those of anybody else."""
    write_plugin(tmp_path, "first", "model", board=True)
    written = tomllib.loads((tmp_path / "harness.toml").read_text())
    ours = tomllib.loads((ROOT / "harness.toml").read_text())
    assert written == {table: {"quick": ours[table]["quick"]} for table in ("leaderboard", "protocol")}


def test_templates_belong_to_the_wheel():
    """Without this line an installed harness has none."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    endings = {path.suffix for path in (ROOT / "harness" / "scaffold" / "templates").iterdir()}
    assert {f"*{ending}" for ending in endings} <= set(data["*"])
