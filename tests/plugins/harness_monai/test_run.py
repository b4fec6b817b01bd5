"""MONAI's plugins in a run of the whole harness, and the leaderboard that the repository ships of them."""

from __future__ import annotations

import json
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from tiny_project import Project

from harness.measure.cost import parameters
from harness.plan.choice import choose
from harness.plugins.manager import load
from harness.plugins.records import Model, Task
from harness.plugins.resolve import resolve

ROOT = Path(__file__).parents[3]


def test_a_run_with_deep_supervision_ends_with_a_rank_and_names_monais_version(project: Project) -> None:
    """Its version is in no key, so the record is where a reader finds what was trained."""
    wanted = ("-m", "monai-dynunet2d[base=4,depth=3]", "-l", "monai-dice-ce")
    result = project("run", "tiny", *wanted)
    assert result.code == 0, result.err
    assert "monai-dynunet2d" in result.out
    records = [json.loads(path.read_text()) for path in (project.root / "runs").glob("monai-*/record.json")]
    assert records
    for record in records:
        assert record["status"] == "done"
        assert record["plugins"]["model"]["packages"] == {"monai": metadata.version("monai")}
        assert record["plugins"]["loss"]["packages"] == {"monai": metadata.version("monai")}
        assert "packages" not in record["plugins"]["dataset"]
        assert record["model"]["flops"] > 0


def test_peers_compares_networks_alike_in_size() -> None:
    """But for SwinUNETR, which MONAI can't build narrower, and UNet++ in 3D, whose cost is the larger."""
    board = tomllib.loads((ROOT / "harness.toml").read_text())["leaderboard"]["peers"]
    registry, sizes = load(), {}
    for text in board["models"]:
        choice = choose(registry, "model", text)
        record = choice.record
        assert isinstance(record, Model)
        task = Task(record.dims, 1, 4, (1.0,) * 4, ("RV", "MYO", "LV"))
        target = resolve(record.target)
        sizes[record.name] = parameters(target(task, **choice.params))  # type: ignore[operator]
    kinds = {name[:-2] for name in registry.models if name.startswith(("monai-", "unet"))}
    assert set(sizes) == {f"{kind}{dims}d" for kind in kinds for dims in (2, 3)}
    for name, size in sizes.items():
        if "swinunetr" not in name and name != "monai-unetplusplus3d":
            assert size == pytest.approx(sizes[f"unet{name[-2:]}"], rel=0.25), name
