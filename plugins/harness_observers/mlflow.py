"""Runs for MLflow: ``--observe mlflow=DIR`` (a database DIR/mlflow.db) or ``mlflow=URI`` (a server).

The leaderboard is the experiment; a run is found again by its tag ``harness.run_id`` and continued. Needs the
extra ``cardiac-harness[mlflow]``.
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
from harness_observers.figures import costs, epoch_figures, scores, settings

TAG = "harness.run_id"

_open: dict[str, tuple[Any, str]] = {}
"""Client and MLflow's own id by run, for the runs of this process that MLflow knows."""

QUIET = {
    # A run must not say on the network what a user did not ask for, nor wait minutes for a dead server.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}


@hookimpl
def harness_run_started(run: Mapping[str, Any], place: str | None) -> None:
    """Create the run, or find the one that goes on."""
    if place is None:
        return
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    client = _client(tracking_uri(place))
    experiment = _experiment(client, run["leaderboard"])
    found = client.search_runs([experiment], f"tags.`{TAG}` = '{run['run_id']}'", max_results=1)
    if found:
        own = found[0].info.run_id
        client.update_run(own, status="RUNNING")
    else:
        own = client.create_run(experiment, tags={TAG: run["run_id"]}, run_name=run["run_id"]).info.run_id
        _log_params(client, own, settings(run))
    _open[run["run_id"]] = (client, own)


@hookimpl
def harness_epoch_ended(run: Mapping[str, Any], epoch: Mapping[str, Any]) -> None:
    """Log the epoch's figures."""
    if run["run_id"] in _open:
        _log_metrics(*_open[run["run_id"]], epoch_figures(epoch), epoch["epoch"])


@hookimpl
def harness_run_finished(
    run: Mapping[str, Any], record: Mapping[str, Any], cases: Sequence[Mapping[str, Any]]
) -> None:
    """Log scores and costs, and how the run ended."""
    if run["run_id"] not in _open:
        return
    client, own = _open.pop(run["run_id"])
    _log_metrics(client, own, {**scores(cases), **costs(record)}, len(record["history"]))
    if record["failure"] is not None:
        client.set_tag(own, "harness.failure", f"{record['status']}: {record['failure']['message']}")
    client.set_terminated(own, "FINISHED" if record["status"] == "done" else "FAILED")


def _client(uri: str) -> Any:
    try:
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=uri)
    except ImportError as error:
        remedy = "Install it: pip install 'cardiac-harness[mlflow]'."
        raise PluginError(f"MLflow can't be used: {error}", remedy=remedy) from error


def tracking_uri(place: str) -> str:
    """A folder's database, or the URI as it is."""
    if "://" in place:
        return place
    folder = Path(place)
    folder.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folder / 'mlflow.db'}"


def _experiment(client: Any, name: str) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        # Another process may create it at the same moment.
        with contextlib.suppress(MlflowException):
            return str(client.create_experiment(name))
        found = client.get_experiment_by_name(name)
    return str(found.experiment_id)


def _log_params(client: Any, own: str, values: Mapping[str, str]) -> None:
    from mlflow.entities import Param

    client.log_batch(own, params=[Param(_plain(name), value) for name, value in values.items()])


def _log_metrics(client: Any, own: str, values: Mapping[str, float], step: int) -> None:
    from mlflow.entities import Metric

    now_ms = int(time.time() * 1000)
    client.log_batch(
        own, metrics=[Metric(_plain(name), value, now_ms, step) for name, value in values.items()]
    )


def _plain(name: str) -> str:
    """MLflow takes letters, digits, ``_ - . : /`` and blanks: ``nsd@2mm`` is ``nsd-2mm``."""
    return re.sub(r"[^\w\-.:/ ]", "-", name)
