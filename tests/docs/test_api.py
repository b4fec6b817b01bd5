"""The examples of the Python API work: those of its page, and the notebook."""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"

QUICK = """
[leaderboard.quick]
protocol = "quick"
models = ["unet2d[base=8]"]
losses = ["cross-entropy", "log-dice"]
datasets = ["phantom[train=3,test=2]"]

[protocol.quick]
spacing_mm = 2.0
crop = [96, 96]
learning_rate = 8e-3
epochs = 1
limit = 1
batch = { 2d = 8, 3d = 2 }
split = "official"
"""
"""The leaderboard of the page, at a small part of its cost."""

CHEAPER = (("epochs = 6", "epochs = 1\nlimit = 1"), ("train=12,test=8", "train=3,test=2"))
"""Changes of the notebook's harness.toml that keep its cells and save the time."""


def run_cell(source: str, namespace: dict[str, Any]) -> Any:
    """Execute a cell as a notebook does: the value is that of an expression at its end."""
    body = ast.parse(source).body
    last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None  # type: ignore[attr-defined]
    exec(compile(ast.Module(body, []), "<cell>", "exec"), namespace)
    return None if last is None else eval(compile(last, "<cell>", "eval"), namespace)


def test_the_examples_of_the_page_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    head = page.partition("## harness.score")[0]
    (tmp_path / "harness.toml").write_text(QUICK)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", head, re.MULTILINE | re.DOTALL):
        exec(compile(block, "api.md", "exec"), namespace)
    printed = capsys.readouterr().out
    assert "unet2d[base=8] + log-dice, seed 0, fold 0: starts" in printed
    assert "Leaderboard quick on phantom" in printed
    assert len(namespace["entries"]) == 2
    assert namespace["scores"].value("LV", "hd") == pytest.approx(1.5)


def test_the_notebook_leads_from_a_session_to_a_comparison() -> None:
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells), "outputs are not committed"
    namespace: dict[str, Any] = {}
    shown = []
    for cell in cells:
        source = "".join(cell["source"])
        if "[protocol.demo]" in source:
            for old, new in CHEAPER:
                assert old in source
                source = source.replace(old, new)
        shown.append(run_cell(source, namespace))
    shutil.rmtree(namespace["folder"])
    html = [value._repr_html_() for value in shown if hasattr(value, "_repr_html_")]
    # The plan, the leaderboard, two data frames, the comparison.
    assert len(html) == 5
    assert all("<table" in text for text in html)
    assert "unet2d[base=8] + log-dice" in html[-1]
    assert shown[-1] in ("better", "worse", "equivalent", "undecided")
