"""What a user sees of MONAI's plugins before any of them runs, with MONAI and without."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.plugins.records import Loss, Model
from harness.plugins.resolve import resolve
from harness_monai import harness_losses, harness_models

MODELS, LOSSES = list(harness_models()), list(harness_losses())
PLUGINS: list[Model | Loss] = [*MODELS, *LOSSES]

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from harness.cli.main import main
code = main(["plugins", *sys.argv[2:]])
print(sorted({"torch", "monai", "einops", "numpy"} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


def listing(absent: str, folder: Path, *options: str) -> tuple[str, str]:
    """Output of ``harness plugins`` where packages are not installed, and the heavy modules it imported."""
    command = [sys.executable, "-c", WITHOUT, absent, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr.splitlines()[-1]


def test_names_follow_one_scheme() -> None:
    kinds = ["attentionunet", "basicunet", "dynunet", "segresnet", "swinunetr", "unet", "unetplusplus"]
    assert sorted(m.name for m in MODELS) == sorted(f"monai-{k}{dims}d" for k in kinds for dims in (2, 3))
    assert all(f"{model.dims}d" in model.name for model in MODELS)
    assert all(loss.name.startswith("monai-") for loss in LOSSES)


@pytest.mark.parametrize("record", [*MODELS, *LOSSES], ids=lambda record: record.name)
def test_every_parameter_is_one_that_the_target_takes(record: Model | Loss) -> None:
    """A parameter that is listed and not taken, or taken and not listed, could never be set."""
    target: Any = resolve(record.target)
    takes = {name: p.default for name, p in inspect.signature(target).parameters.items() if name != "task"}
    elsewhere = {"flat", "pool_z"} if getattr(record, "dims", 3) == 2 else {"slices"}
    assert set(record.defaults) == set(takes) - (elsewhere if isinstance(record, Model) else set())


@pytest.mark.parametrize("record", LOSSES, ids=lambda record: record.name)
def test_a_losses_defaults_are_told_as_they_are(record: Loss) -> None:
    target: Any = resolve(record.target)
    for name, value in record.defaults.items():
        assert inspect.signature(target).parameters[name].default == value, name


def test_without_monai_its_plugins_are_not_available_and_all_others_work(tmp_path: Path) -> None:
    out, heavy = listing("monai", tmp_path, "--json")
    rows = {(row["kind"], row["name"]): row for row in json.loads(out)}
    for record in PLUGINS:
        row = rows["model" if isinstance(record, Model) else "loss", record.name]
        assert row["state"] == "not available"
        assert row["remedy"] == "pip install 'cardiac-harness[monai]'"
    others = [
        row["state"]
        for (kind, name), row in rows.items()
        if kind != "executor" and not name.startswith("monai-")
    ]
    assert set(others) == {"ok"}
    assert len(others) >= 8
    assert heavy == "[]"
    table, _ = listing("monai", tmp_path)
    assert "monai is not installed" in table
    assert table.count("Remedy: pip install 'cardiac-harness[monai]'") <= 2


def test_without_einops_only_the_transformer_is_missing(tmp_path: Path) -> None:
    out, _ = listing("einops", tmp_path, "--json")
    missing = {
        row["name"]: row["error"]
        for row in json.loads(out)
        if row["kind"] != "executor" and row["state"] != "ok"
    }
    assert missing == dict.fromkeys(("monai-swinunetr2d", "monai-swinunetr3d"), "einops is not installed")


def test_with_monai_they_are_listed_without_importing_it(tmp_path: Path) -> None:
    out, heavy = listing("nothing", tmp_path, "--json")
    states = {row["name"]: row["state"] for row in json.loads(out)}
    assert {states[record.name] for record in PLUGINS} == {"ok"}
    assert heavy == "[]"
