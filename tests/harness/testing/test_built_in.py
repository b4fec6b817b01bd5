"""The plugins of this repository keep the contract that they ask of others."""

from __future__ import annotations

import made_organs
import pytest

from harness.plugins.manager import load
from harness.testing import registered, run_checks

NARROW = {
    "unet2d": {"base": 8},
    "unet3d": {"base": 4},
    "phantom": {"train": 4, "test": 2},
    **{
        f"monai-{name}{dims}d": {"base": 4}
        for name in ("unet", "basicunet", "dynunet", "attentionunet", "unetplusplus")
        for dims in (2, 3)
    },
    **{f"monai-segresnet{dims}d": {"base": 8} for dims in (2, 3)},
    **{f"monai-swinunetr{dims}d": {"base": 12} for dims in (2, 3)},
}
"""The same code at a width and with a number of patients that take no time."""

REGISTRY = load()
BUILT_IN = [
    plugin
    for kind in ("model", "loss", "dataset")
    for plugin in REGISTRY.of(kind).values()
    if plugin.distribution == "cardiac-harness"
]


@pytest.fixture(scope="session")
def roots(tmp_path_factory):
    """Data in the layouts that the datasets read; the phantom has ACDC's."""
    folder = tmp_path_factory.mktemp("data")
    phantom = registered(REGISTRY.datasets["phantom"], REGISTRY, NARROW["phantom"], folder / "hearts")
    assert all(one.state == "ok" for one in run_checks(phantom))
    (hearts,) = {path.parents[1] for path in (folder / "hearts").rglob("patient001")}
    organs = made_organs.nnunet(folder / "organs", ["a_0", "a_1", "b_0"], ["c_0"])
    return {"phantom": folder / "hearts", "acdc": hearts, "nifti": organs}


@pytest.mark.parametrize("plugin", BUILT_IN, ids=lambda plugin: plugin.record.name)
def test_a_built_in_plugin_passes_every_check(plugin, roots):
    name = plugin.record.name
    subject = registered(plugin, REGISTRY, NARROW.get(name, {}), roots.get(name))
    outcomes = run_checks(subject)
    assert {one.check: one.found for one in outcomes if one.state not in ("ok", "info")} == {}


def test_they_are_all_there():
    names = {plugin.record.name for plugin in BUILT_IN}
    assert names >= {
        "unet2d",
        "unet3d",
        "cross-entropy",
        "log-dice",
        "log-dice-ce",
        "acdc",
        "phantom",
        "nifti",
    }
