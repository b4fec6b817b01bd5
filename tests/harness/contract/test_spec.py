"""Specifications: what is committed is read and written to the byte, and what does not fit is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_specs import run_spec, with_protocol

from harness.contract.spec import RunSpec
from harness.errors import HarnessError
from harness.plan import keys as versions
from harness.store.atomic import canonical_json
from harness.store.record import from_line, to_line

LEADERBOARDS = Path(__file__).parents[3] / "leaderboards"
LINES = [line for path in sorted(LEADERBOARDS.glob("*/records.jsonl")) for line in path.open()]


@pytest.mark.parametrize("number", range(len(LINES)))
def test_a_committed_record_is_written_as_it_was_read(number: int) -> None:
    line = LINES[number]
    record = from_line(line)
    assert to_line(record) == line
    assert canonical_json(record.spec.as_json()) == canonical_json(json.loads(line)["spec"])
    assert record.keys == record.spec.keys


@pytest.mark.parametrize("number", range(len(LINES)))
def test_the_keys_of_a_committed_record_follow_from_its_specification(number: int) -> None:
    """Else a finished run would be trained again."""
    record = from_line(LINES[number])
    # Canonical JSON sorts names; keys are made from the dataset's order, which is that of the values.
    structures = dict(sorted(record.spec.dataset.structures.items(), key=lambda item: item[1]))
    spec = replace(record.spec, dataset=replace(record.spec.dataset, structures=structures))
    assert versions.keys(spec) == record.keys


def test_what_is_off_is_not_written() -> None:
    """Records from before there was such a field keep their bytes and keys."""
    written = run_spec().as_json()
    assert not {"coarse", "depth"} & set(written["protocol"])
    assert not {"requires", "external", "distribution"} & set(written["model"])
    coarse = with_protocol(run_spec(dims=3), coarse=0.5).as_json()
    assert (coarse["protocol"]["coarse"], coarse["protocol"]["depth"]) == (0.5, 10)


def test_whole_numbers_stay_whole() -> None:
    value = with_protocol(run_spec(), gradient_clip=12, weight_decay=0.5).as_json()
    read = RunSpec.from_json(json.loads(json.dumps(value))).as_json()
    assert canonical_json(read) == canonical_json(value)
    assert '"gradient_clip":12,' in canonical_json(read)


def changed(value: dict[str, Any], path: str, new: Any) -> dict[str, Any]:
    name, _, rest = path.partition(".")
    return {**value, name: changed(value[name], rest, new) if rest else new}


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("protocol.epochs", "seven", "spec.protocol.epochs is 'seven', not a whole number"),
        ("protocol.epochs", True, "spec.protocol.epochs is True, not a whole number"),
        ("protocol.crop", [96], r"spec.protocol.crop is \[96\], not a list of 2"),
        ("protocol.empty.both_empty", "guess", "spec.protocol.empty.both_empty is 'guess', not 'exclude' or"),
        ("protocol.augmentation.flip", None, "spec.protocol.augmentation.flip is None, not a number"),
        ("protocol.epoch", 3, "spec.protocol.epoch is not a field that this version knows"),
        ("dataset.structures", {"LV": "3"}, "spec.dataset.structures.LV is '3', not a whole number"),
        ("parts.test", "p1", "spec.parts.test is 'p1', not a list"),
        ("model", None, "spec.model is None, not an object"),
        ("protocol", [], "spec.protocol is .., not an object"),
    ],
)
def test_a_value_that_does_not_fit_names_run_and_field(path: str, value: Any, problem: str) -> None:
    with pytest.raises(HarnessError, match=f"run 'my-run': {problem}") as caught:
        RunSpec.from_json(changed(run_spec().as_json(), path, value), "my-run")
    assert "\n" not in str(caught.value)
    assert caught.value.remedy


def test_a_missing_field_is_named() -> None:
    value = run_spec().as_json()
    del value["seed"]
    with pytest.raises(HarnessError, match=r"spec\.seed is missing"):
        RunSpec.from_json(value, "my-run")


def test_external_predictions_have_no_training_protocol() -> None:
    spec = run_spec()
    scoring = {name: spec.as_json()["protocol"][name] for name in ("split", "folds", "split_seed", "metrics")}
    value = {**spec.as_json(), "protocol": {**scoring, "empty": spec.as_json()["protocol"]["empty"]}}
    value["model"] = {**value["model"], "dims": None, "external": True}
    read = RunSpec.from_json(value, "nnU-Net")
    assert read.as_json() == value
    with pytest.raises(HarnessError, match="not trained here"):
        _ = read.protocol
    with pytest.raises(HarnessError, match="not trained here"):
        _ = read.model.trained_dims
