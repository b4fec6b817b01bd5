"""Records: each part is typed, and a value that does not fit is named with its run."""

from __future__ import annotations

from typing import Any

import made_records
import pytest

from harness.contract.record import Record
from harness.errors import HarnessError


def test_parts_that_a_run_does_not_have_are_empty_objects() -> None:
    header = made_records.record(hardware=None, status="failed").header()
    assert [header[name] for name in ("environment", "hardware", "data", "model")] == [{}] * 4
    assert Record.from_json(header).header() == header


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("status", "fine", "record.status is 'fine', not 'done' or"),
        ("failure", {"phase": "train", "blame": "plugin"}, "record.failure.message is missing"),
        ("time_s", {"train": "long"}, "record.time_s.train is 'long', not a number"),
        ("hardware", {"class": 3}, "record.hardware.class is 3, not a string"),
        ("history", [{"epoch": 1, "loss": None}], "record.history.loss is None, not a number"),
        ("data", [], "record.data is .., not an object"),
        ("colour", "red", "record.colour is not a field that this version knows"),
        ("spec", {}, "spec.protocol is missing"),
    ],
)
def test_a_value_that_does_not_fit_names_run_and_field(name: str, value: Any, problem: str) -> None:
    header = {**made_records.record().header(), name: value}
    with pytest.raises(HarnessError, match=f"run 'unet2d-log-dice-phantom-s0-f0': .*{problem}") as caught:
        Record.from_json(header)
    assert "\n" not in str(caught.value)
