"""A record that can't work is refused where it is written, with the field that is wrong."""

import re
from typing import Any

import pytest

from harness import Dataset, Loss, Model
from harness.errors import PluginError

GOOD: dict[str, Any] = {"name": "unet2d", "target": "nets.unet:UNet", "summary": "a U-Net"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "U-Net"),
        ("name", ""),
        ("name", "a b"),
        ("name", "unet[1]"),
        ("name", 3),
        ("target", "nets.unet"),
        ("target", "nets.unet:"),
        ("target", object),
        ("summary", ""),
        ("summary", "two\nlines"),
        ("summary", None),
        ("version", 0),
        ("version", "1"),
        ("version", True),
        ("defaults", ["base"]),
        ("defaults", {1: 2}),
        ("defaults", {"act": object()}),
        ("defaults", {"eps": float("nan")}),
        ("references", "doi:10.1000/1"),
        ("references", (1,)),
        ("requires", "monai"),
        ("requires", ("monai",)),
        ("requires", {"monai": ""}),
        ("requires", {"monai.networks": "monai"}),
        ("dims", 4),
        ("dims", 2.0),
        ("dims", "2"),
    ],
)
def test_a_model_with_an_impossible_field_is_refused(field: str, value: object) -> None:
    with pytest.raises(PluginError, match=field if field != "name" else "plugin name") as caught:
        Model(**{**GOOD, "dims": 2, field: value})
    assert "Model" in str(caught.value.where)


@pytest.mark.parametrize(
    "structures", [{"LV": 0}, {"LV": 256}, {"LV": 1, "RV": 1}, {"LV": True}, {"LV": "3"}, {3: 3}, ["LV"]]
)
def test_label_values_that_no_label_map_can_hold_are_refused(structures: Any) -> None:
    with pytest.raises(PluginError, match="structures"):
        Dataset(**GOOD, structures=structures)


def test_one_phase_without_its_comma_is_refused() -> None:
    with pytest.raises(PluginError, match=re.escape("phases 'ED' is not a tuple")):
        Dataset(**GOOD, phases="ED")  # type: ignore[arg-type]


def test_lists_are_taken_for_tuples_so_that_equal_records_are_equal() -> None:
    listed = Loss(**GOOD, references=["Milletari 2016"])  # type: ignore[arg-type]
    assert listed == Loss(**GOOD, references=("Milletari 2016",))


def test_nested_defaults_are_allowed() -> None:
    assert Loss(**GOOD, defaults={"weights": [1.0, 2.0], "mode": None}).defaults["mode"] is None
