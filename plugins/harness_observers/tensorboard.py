"""Curves and final scores for TensorBoard: ``--observe tensorboard=DIR``, then ``tensorboard --logdir DIR``.

Each run has the folder ``DIR/<run id>``, to which a resumed run adds. Needs the extra
``cardiac-harness[tensorboard]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import hookimpl
from harness.errors import PluginError
from harness_observers.run_values import costs, epoch_values, scores, settings

_open: dict[str, Any] = {}
"""The writers of this process by run."""


@hookimpl
def harness_run_started(run: Mapping[str, Any], place: str | None) -> None:
    """Fail if the library is missing; the other hooks then do nothing."""
    if place is not None:
        _writer_class()


@hookimpl
def harness_epoch_ended(run: Mapping[str, Any], epoch: Mapping[str, Any], place: str | None) -> None:
    """Add the values of the epoch to the curves."""
    if place is None or not _available():
        return
    writer = _writer(run, place, from_epoch=epoch["epoch"])
    for name, value in epoch_values(epoch).items():
        writer.add_scalar(name, value, epoch["epoch"])
    writer.flush()


@hookimpl
def harness_run_finished(
    run: Mapping[str, Any], record: Mapping[str, Any], cases: Sequence[Mapping[str, Any]], place: str | None
) -> None:
    """Add scores, costs and settings, and the failure if there is one."""
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
    """The run's writer; values that an earlier attempt wrote for `from_epoch` and later are purged."""
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
