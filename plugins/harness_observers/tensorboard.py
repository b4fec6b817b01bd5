"""Curves and final scores for TensorBoard: ``--observe tensorboard=DIR``, then ``tensorboard --logdir DIR``.

A run has the folder ``DIR/<run id>``; one that goes on after an interruption adds to it. Needs the extra
``cardiac-harness[tensorboard]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import hookimpl
from harness.errors import PluginError
from harness_observers.figures import costs, epoch_figures, scores, settings

_open: dict[str, Any] = {}
"""Writers of this process by run."""


@hookimpl
def harness_run_started(run: Mapping[str, Any], place: str | None) -> None:
    """Fail here, and only here, where the library is missing."""
    if place is not None:
        _writer_class()


@hookimpl
def harness_epoch_ended(run: Mapping[str, Any], epoch: Mapping[str, Any], place: str | None) -> None:
    """Add the epoch's figures to the curves."""
    if place is None or not _available():
        return
    writer = _writer(run, place, from_epoch=epoch["epoch"])
    for name, value in epoch_figures(epoch).items():
        writer.add_scalar(name, value, epoch["epoch"])
    writer.flush()


@hookimpl
def harness_run_finished(
    run: Mapping[str, Any], record: Mapping[str, Any], cases: Sequence[Mapping[str, Any]], place: str | None
) -> None:
    """Add scores, costs and the protocol, or why the run failed."""
    if place is None or not _available():
        return
    writer = _writer(run, place)
    last = len(record["history"])
    for name, value in {**scores(cases), **costs(record)}.items():
        writer.add_scalar(name, value, last)
    lines = [f"    {name} = {value}" for name, value in settings(run).items()]
    writer.add_text("settings", "\n".join(lines), last)
    if record["failure"] is not None:
        writer.add_text("failure", f"{record['status']}: {record['failure']['message']}", last)
    writer.close()
    del _open[run["run_id"]]


def _writer(run: Mapping[str, Any], place: str, from_epoch: int | None = None) -> Any:
    """The run's writer; what an earlier attempt said of `from_epoch` and later is void."""
    run_id = run["run_id"]
    if run_id not in _open:
        _open[run_id] = _writer_class()(str(Path(place) / run_id), purge_step=from_epoch)
    return _open[run_id]


def _writer_class() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        remedy = "Install it: pip install 'cardiac-harness[tensorboard]'."
        raise PluginError(f"TensorBoard can't be used: {error}", remedy=remedy) from error
    return SummaryWriter


def _available() -> bool:
    try:
        _writer_class()
    except PluginError:
        return False
    return True
