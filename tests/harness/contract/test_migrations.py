"""Files of earlier layouts are lifted step by step; those of later ones are refused."""

from __future__ import annotations

from typing import Any

import made_records
import pytest
from made_specs import run_spec

from harness.contract.migrations import PROTOCOL_OF_0, SCHEMA, SPEC, Chain
from harness.contract.record import Record
from harness.contract.spec import RunSpec
from harness.errors import HarnessError


def update_to_1(value: dict[str, Any]) -> dict[str, Any]:
    return {"colour": "red", **value}


def update_to_2(value: dict[str, Any]) -> dict[str, Any]:
    """`colour` gets a new name."""
    return {"hue" if name == "colour" else name: one for name, one in value.items()}


def update_to_3(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "hue": value["hue"].upper()}


MADE_UP = Chain([update_to_1, update_to_2, update_to_3])


@pytest.mark.parametrize(
    ("value", "lifted"),
    [
        ({}, {"schema": 3, "hue": "RED"}),
        ({"colour": "blue"}, {"schema": 3, "hue": "BLUE"}),
        ({"schema": 1, "colour": "blue"}, {"schema": 3, "hue": "BLUE"}),
        ({"schema": 2, "hue": "blue"}, {"schema": 3, "hue": "BLUE"}),
        ({"schema": 3, "hue": "blue"}, {"schema": 3, "hue": "blue"}),
    ],
)
def test_steps_are_applied_in_order_from_where_a_file_stands(
    value: dict[str, Any], lifted: dict[str, Any]
) -> None:
    before = dict(value)
    assert MADE_UP.lift(value, "it") == lifted
    assert value == before


@pytest.mark.parametrize("schema", [4, -1, "1", None, True])
def test_a_layout_that_is_not_known_is_refused_with_both_versions(schema: object) -> None:
    with pytest.raises(HarnessError, match=rf"it has schema {schema!r}, this version reads up to 3"):
        MADE_UP.lift({"schema": schema}, "it")


def test_a_specification_without_a_number_is_completed() -> None:
    """Sparse files had one value for what they lack: nothing that is used has a default of its own."""
    value = run_spec(leaderboard="").as_json()
    for name in ("algorithms", "leaderboard"):
        del value[name]
    for name in PROTOCOL_OF_0:
        del value["protocol"][name]
    # The first files that bore the number 1 were as sparse as those before them.
    assert RunSpec.from_json(value, "old") == run_spec(leaderboard="")
    del value["schema"]
    assert RunSpec.from_json(value, "old") == run_spec(leaderboard="")


def test_a_record_of_the_first_leaderboards_is_completed() -> None:
    """They did not measure the energy of training, nor who else used the machine."""
    made = made_records.quick(patients=1)[0]
    header = made.header()
    del header["model"]["training_energy_j"]
    assert Record.from_json(header, made.cases) == made
    del header["schema"]
    assert Record.from_json(header, made.cases) == made


def test_specifications_are_written_in_the_present_layout() -> None:
    assert run_spec().as_json()["schema"] == SCHEMA == SPEC.version


def test_a_message_about_an_unknown_layout_stays_short() -> None:
    with pytest.raises(HarnessError, match="reads up to 3") as refused:
        MADE_UP.lift({"schema": "9" * 5000}, "it")
    assert len(str(refused.value)) < 200
