"""docs/plugins.md tells every check, in the words of the code; the examples of the docs keep the contract."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from harness.plugins.files import load_file
from harness.testing import checks_for, run_checks, subjects_of

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", ["model", "loss", "dataset"])
def test_every_check_is_documented(kind):
    told = (ROOT / "docs" / "plugins.md").read_text()
    table = "\n".join(f"| `{check.id}` | {check.guarantee} |" for check in checks_for(kind))
    assert table in told


@pytest.fixture
def _imported(monkeypatch):
    before = set(sys.modules)
    monkeypatch.syspath_prepend(ROOT / "examples" / "wide_unet")
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("harness_wide_unet", "my_model")):
            del sys.modules[name]


@pytest.mark.usefixtures("_imported")
@pytest.mark.parametrize("example", ["harness_wide_unet", "examples/my_model.py"])
def test_the_examples_pass(example):
    module = load_file(ROOT / example) if example.endswith(".py") else importlib.import_module(example)
    for subject in subjects_of(module, {}, {}):
        outcomes = run_checks(subject)
        assert {one.check: one.found for one in outcomes if one.state not in ("ok", "info")} == {}
