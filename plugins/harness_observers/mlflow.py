"""Runs for MLflow: ``--observe mlflow=DIR`` (a database DIR/mlflow.db) or ``mlflow=URI`` (a server).

The leaderboard is the experiment. A resumed run continues the MLflow run with its tag ``harness.run_id``.
Needs the extra ``cardiac-harness[mlflow]``.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import hookimpl
from harness.errors import PluginError
from harness_observers.run_values import costs, epoch_values, scores, settings

TAG = "harness.run_id"

_open: dict[str, tuple[Any, str]] = {}
"""Client and MLflow's run id by run, for the runs of this process."""

QUIET = {
    # A run must not send telemetry, nor wait minutes for an unreachable server.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}


@hookimpl
def harness_run_started(run: Mapping[str, Any], place: str | None) -> None:
    """Create the run in MLflow, or find it if it is resumed."""
    if place is None:
        return
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    client = _client(tracking_uri(place))
    experiment = _experiment(client, run["leaderboard"])
    existing = client.search_runs([experiment], f"tags.`{TAG}` = '{run['run_id']}'", max_results=1)
    if existing:
        mlflow_id = existing[0].info.run_id
        client.update_run(mlflow_id, status="RUNNING")
    else:
        created = client.create_run(experiment, tags={TAG: run["run_id"]}, run_name=run["run_id"])
        mlflow_id = created.info.run_id
        _log_params(client, mlflow_id, settings(run))
    _open[run["run_id"]] = (client, mlflow_id)


@hookimpl
def harness_epoch_ended(run: Mapping[str, Any], epoch: Mapping[str, Any]) -> None:
    """Log the values of the epoch."""
    if run["run_id"] in _open:
        _log_metrics(*_open[run["run_id"]], epoch_values(epoch), epoch["epoch"])


@hookimpl
def harness_run_finished(
    run: Mapping[str, Any], record: Mapping[str, Any], cases: Sequence[Mapping[str, Any]]
) -> None:
    """Log scores, costs and the status of the run."""
    if run["run_id"] not in _open:
        return
    client, mlflow_id = _open.pop(run["run_id"])
    _log_metrics(client, mlflow_id, {**scores(cases), **costs(record)}, len(record["history"]))
    if record["failure"] is not None:
        client.set_tag(mlflow_id, "harness.failure", f"{record['status']}: {record['failure']['message']}")
    client.set_terminated(mlflow_id, "FINISHED" if record["status"] == "done" else "FAILED")


def _client(uri: str) -> Any:
    try:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=uri)
    except ImportError as error:
        remedy = "Install it: pip install 'cardiac-harness[mlflow]'."
        raise PluginError(f"MLflow can't be used: {error}", remedy=remedy) from error


def tracking_uri(place: str) -> str:
    """The URI of a folder's database; a URI is returned unchanged."""
    if "://" in place:
        return place
    folder = Path(place)
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}"


def _experiment(client: Any, name: str) -> str:
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        # Another process may create it at the same time.
        with contextlib.suppress(MlflowException):
            return str(client.create_experiment(name))
        experiment = client.get_experiment_by_name(name)
    return str(experiment.experiment_id)


def _log_params(client: Any, mlflow_id: str, values: Mapping[str, str]) -> None:
    from mlflow.entities import Param

    client.log_batch(mlflow_id, params=[Param(_plain(name), value) for name, value in values.items()])


def _log_metrics(client: Any, mlflow_id: str, values: Mapping[str, float], step: int) -> None:
    from mlflow.entities import Metric

    now_ms = int(time.time() * 1000)
    client.log_batch(
        mlflow_id, metrics=[Metric(_plain(name), value, now_ms, step) for name, value in values.items()]
    )


def _plain(name: str) -> str:
    """A name that MLflow accepts (letters, digits, ``_ - . : /`` and spaces): ``nsd-2mm`` for ``nsd@2mm``."""
    return re.sub(r"[^\w\-.:/ ]", "-", name)
