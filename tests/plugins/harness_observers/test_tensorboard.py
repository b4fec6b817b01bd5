"""What TensorBoard itself reads of a folder that runs were reported to."""

import json
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny_project import Project

from harness_observers import tensorboard


def read(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    events.Reload()
    return events


def curve(events: EventAccumulator, name: str) -> list[tuple[int, Any]]:
    return [(event.step, pytest.approx(event.value, rel=1e-6)) for event in events.Scalars(name)]


def test_curves_and_scores_are_those_of_the_record(project: Project) -> None:
    result = project("run", "tiny", "-m", "tiny-net", "--observe", "tensorboard=boards")
    assert result.code == 0, result.err
    assert "note:" not in result.err
    (run,) = project.run_folders()
    record = json.loads((run / "record.json").read_text())
    events = read(project.root / "boards" / run.name)
    history = record["history"]
    assert curve(events, "epoch/loss") == [(epoch["epoch"], epoch["loss"]) for epoch in history]
    assert curve(events, "epoch/validation_dice") == [(e["epoch"], e["validation_dice"]) for e in history]
    lines = [json.loads(line) for line in (run / "cases.jsonl").read_text().splitlines()]
    dice = [line["value"] for line in lines if (line["metric"], line["structure"]) == ("dice", "LV")]
    assert curve(events, "test/dice/LV") == [(4, sum(dice) / len(dice))]
    assert curve(events, "cost/parameters") == [(4, record["model"]["parameters"])]
    (settings,) = events.Tensors("settings/text_summary")
    assert b"protocol.learning_rate = 0.05" in settings.tensor_proto.string_val[0]


def run_of(run_id: str) -> dict[str, Any]:
    plugin = {"label": "net"}
    return {
        **dict.fromkeys(("model", "loss", "dataset"), plugin),
        **{"run_id": run_id, "seed": 0, "fold": 0, "protocol": {"epochs": 3}},
    }


def test_a_run_that_goes_on_voids_what_it_trains_again(tmp_path: Path) -> None:
    """Its last checkpoint may be older than the last epoch that was reported: no epoch counts twice."""
    run, place = run_of("resumed"), str(tmp_path)
    for epoch, loss in ((1, 0.9), (2, 0.5)):
        tensorboard.harness_epoch_ended(run, {"epoch": epoch, "loss": loss}, place)
    tensorboard._open.clear()  # the process was killed
    for epoch, loss in ((2, 0.4), (3, 0.3)):
        tensorboard.harness_epoch_ended(run, {"epoch": epoch, "loss": loss}, place)
    record = {"history": [{}] * 3, "status": "done", "failure": None}
    tensorboard.harness_run_finished(run, record, [], place)
    assert curve(read(tmp_path / "resumed"), "epoch/loss") == [(1, 0.9), (2, 0.4), (3, 0.3)]


def test_nothing_is_written_unless_it_is_asked_for(project: Project) -> None:
    assert project("run", "tiny", "-m", "tiny-net").code == 0
    assert not list(project.root.rglob("events.out.*"))


def test_a_failed_run_says_why(project: Project) -> None:
    result = project("run", "tiny", "-m", "raises", "--observe", "tensorboard=boards")
    assert result.code == 1
    (folder,) = (project.root / "boards").iterdir()
    (failure,) = read(folder).Tensors("failure/text_summary")
    assert b"something in my network is wrong" in failure.tensor_proto.string_val[0]
