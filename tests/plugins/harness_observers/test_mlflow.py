"""What MLflow itself reads of a folder that runs were reported to."""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tiny_project import Project

mlflow = pytest.importorskip("mlflow")
pytest.importorskip("sqlalchemy")


def runs_in(folder: Path, experiment: str) -> tuple[Any, list[Any]]:
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow.db")
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    return client, client.search_runs([found.experiment_id])


def test_parameters_curves_and_scores_are_those_of_the_record(project: Project) -> None:
    result = project("run", "tiny", "-m", "tiny-net", "--observe", "mlflow=tracking")
    assert result.code == 0, result.err
    assert "note:" not in result.err
    (folder,) = project.run_folders()
    record = json.loads((folder / "record.json").read_text())
    client, (run,) = runs_in(project.root / "tracking", "tiny")
    assert run.info.status == "FINISHED"
    assert run.data.tags["harness.run_id"] == run.info.run_name == folder.name
    assert run.data.params["model"] == "tiny-net"
    assert run.data.params["protocol.learning_rate"] == "0.05"
    curve = client.get_metric_history(run.info.run_id, "epoch/loss")
    assert [(m.step, m.value) for m in curve] == [(e["epoch"], e["loss"]) for e in record["history"]]
    lines = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines()]
    dice = [line["value"] for line in lines if (line["metric"], line["structure"]) == ("dice", "LV")]
    assert run.data.metrics["test/dice/LV"] == pytest.approx(sum(dice) / len(dice))
    assert run.data.metrics["cost/parameters"] == record["model"]["parameters"]


def test_a_run_that_was_interrupted_goes_on_as_the_same_run(project: Project) -> None:
    args = ("run", "tiny", "-m", "slow[pause_s=0.6]", "--observe", "mlflow=tracking")
    first = project.start(*args)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        beats = [json.loads(file.read_text()) for file in project.root.glob("runs/*/progress.json")]
        # A second epoch has begun, so the first was reported.
        if beats and beats[0].get("epoch", 0) >= 2:
            break
        time.sleep(0.05)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    (folder,) = project.run_folders()
    assert not (folder / "record.json").exists()
    _, (before,) = runs_in(project.root / "tracking", "tiny")
    assert before.info.status == "RUNNING"
    project.hurry()
    again = project(*args)
    assert again.code == 0, again.err
    assert "note:" not in again.err
    client, (after,) = runs_in(project.root / "tracking", "tiny")
    assert after.info.run_id == before.info.run_id
    assert after.info.status == "FINISHED"
    steps = [metric.step for metric in client.get_metric_history(after.info.run_id, "epoch/loss")]
    assert steps == [1, 2, 3, 4]


def test_a_failed_run_says_why(project: Project) -> None:
    assert project("run", "tiny", "-m", "raises", "--observe", "mlflow=tracking").code == 1
    _, (run,) = runs_in(project.root / "tracking", "tiny")
    assert run.info.status == "FAILED"
    assert "something in my network is wrong" in run.data.tags["harness.failure"]
