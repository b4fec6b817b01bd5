"""The hooks that a plugin may implement. The records that they return are in records.py.

A plugin is a module that an entry point of the group ``harness`` names, or a file given with
``-p``. Its hooks are functions with the names below, marked with ``@hookimpl``. Names that start
with ``harness_`` are reserved for hooks: a function with such a name that is not a hook, or not marked,
is reported as an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pluggy

from harness.plugins.records import Dataset, Executor, Loss, Model

GROUP = "harness"
"""The entry-point group, and the project name of the markers."""

_hookspec = pluggy.HookspecMarker(GROUP)


@_hookspec
def harness_models() -> Iterable[Model]:
    """Register models.

    Called once, when plugins are discovered: at the start of every command and of every worker.
    Return or yield `Model` records. Don't import the network here: `target` names it, and the
    run that needs it imports it.

    After an error, ``harness plugins`` lists this plugin as broken. Records yielded before the
    error, other hooks and other plugins keep working.

    >>> from harness import Model, hookimpl
    >>> @hookimpl
    ... def harness_models():
    ...     yield Model("wide-unet", "harness_wide_unet.net:WideUNet", dims=2, summary="a wide U-Net")
    >>> [model.name for model in harness_models()]
    ['wide-unet']
    """
    return ()


@_hookspec
def harness_losses() -> Iterable[Loss]:
    """Register losses.

    Called once, when plugins are discovered. Return or yield `Loss` records. After an error,
    ``harness plugins`` lists this plugin as broken; everything else keeps working.

    >>> from harness import Loss, hookimpl
    >>> @hookimpl
    ... def harness_losses():
    ...     return [Loss("focal", "my_losses:Focal", "focal loss", defaults={"gamma": 2.0})]
    >>> harness_losses()[0].defaults
    {'gamma': 2.0}
    """
    return ()


@_hookspec
def harness_datasets() -> Iterable[Dataset]:
    """Register datasets.

    Called once, when plugins are discovered. Return or yield `Dataset` records. Don't read files
    here: `target` is called with the folder when a plan needs the cases. After an error,
    ``harness plugins`` lists this plugin as broken; everything else keeps working.

    >>> from harness import Dataset, hookimpl
    >>> @hookimpl
    ... def harness_datasets():
    ...     yield Dataset(
    ...         "clinic", "my_clinic:Clinic", "short-axis cine of our clinic",
    ...         structures={"RV": 1, "MYO": 2, "LV": 3}, phases=("ED", "ES"),
    ...     )
    >>> [dataset.structures["LV"] for dataset in harness_datasets()]
    [3]
    """
    return ()


@_hookspec
def harness_executors() -> Iterable[Executor]:
    """Register executors, which start workers, for example on a cluster.

    Called once, when plugins are discovered. Return or yield `Executor` records. ``harness run
    --executor NAME`` calls `target` with the parameters; it returns an object with the methods of
    `harness.execute.executor.RunExecutor`. After an error, ``harness plugins`` lists this plugin as
    broken; everything else keeps working.

    >>> from harness import Executor, hookimpl
    >>> @hookimpl
    ... def harness_executors():
    ...     yield Executor("lsf", "my_lsf:Lsf", "jobs of LSF", defaults={"jobs": None, "queue": "gpu"})
    >>> [executor.defaults["queue"] for executor in harness_executors()]
    ['gpu']
    """
    return ()


@_hookspec(firstresult=True)
def harness_compatible(model: Model, loss: Loss, dataset: Dataset) -> str | None:
    """Exclude a combination that can't be run.

    Called with the three records of every combination when a leaderboard is planned. Return the
    reason in a few words to skip the entry, which is then shown with this reason; return None to
    allow it. The first reason that any plugin returns counts. An implementation can omit
    arguments that it does not need.

    After an error, or if anything but a string or None is returned, the entry is skipped with a
    reason that names this plugin.

    >>> from harness import Loss, Model, hookimpl
    >>> @hookimpl
    ... def harness_compatible(model, loss):
    ...     if loss.name == "boundary" and model.dims == 3:
    ...         return "boundary is written for slices"
    >>> loss = Loss("boundary", "my_losses:Boundary", "boundary loss")
    >>> harness_compatible(Model("net3d", "my_nets:Net3D", dims=3, summary="a 3D net"), loss)
    'boundary is written for slices'
    >>> harness_compatible(Model("net2d", "my_nets:Net2D", dims=2, summary="a 2D net"), loss)
    """
    return None


@_hookspec
def harness_run_started(run: Mapping[str, Any], place: str | None) -> None:
    """Observe that a run starts, or continues after an interruption.

    Called in the worker, before any data is read. `run` is the run's specification as in
    ``spec.json``, for example ``run["run_id"]`` and ``run["model"]["name"]``. `place` is the
    destination of this plugin's reports: the value that ``--observe NAME=PLACE`` or ``[observers]`` in
    harness.toml gives for the name of its entry point or the stem of its file, or None. All three
    hooks of a run get it, and can omit arguments that they don't need. Return nothing.

    An observer gets copies, so it can't change the run or its keys. An error is logged as a warning
    and shown in the terminal, and the run continues.

    >>> from harness import hookimpl
    >>> @hookimpl
    ... def harness_run_started(run):
    ...     print("started", run["run_id"])
    >>> harness_run_started({"run_id": "unet2d-3f9a"})
    started unet2d-3f9a
    """


@_hookspec
def harness_epoch_ended(run: Mapping[str, Any], epoch: Mapping[str, Any], place: str | None) -> None:
    """Observe that an epoch of training ended.

    Called in the worker after the epoch. `epoch` has the values ``epoch`` (from 1), ``epochs``,
    ``loss`` and, if it was measured, ``validation_dice``. A resumed run reports only the epochs that it
    still trains, some of them a second time. Return nothing. Training waits for the hook; this
    time counts only as wall time. An error is logged as a warning and shown in the terminal.

    >>> from harness import hookimpl
    >>> @hookimpl
    ... def harness_epoch_ended(run, epoch):
    ...     print(run["run_id"], *(f"{name}={value}" for name, value in epoch.items()))
    >>> harness_epoch_ended({"run_id": "unet2d-3f9a"}, {"epoch": 3, "loss": 0.25})
    unet2d-3f9a epoch=3 loss=0.25
    """


@_hookspec
def harness_run_finished(
    run: Mapping[str, Any],
    record: Mapping[str, Any],
    cases: Sequence[Mapping[str, Any]],
    place: str | None,
) -> None:
    """Observe that a run is done or has failed.

    Called in the worker after the record is on disk. `record` is the content of ``record.json``;
    ``record["status"]`` is ``"done"`` or the kind of failure. `cases` are the lines of
    ``cases.jsonl``, one mapping per score. Return nothing. A worker that is killed or interrupted
    does not call the hook. An error is logged as a warning and shown in the terminal.

    >>> from harness import hookimpl
    >>> @hookimpl
    ... def harness_run_finished(run, record):
    ...     if record["status"] != "done":
    ...         print(run["run_id"], record["failure"]["message"])
    >>> harness_run_finished(
    ...     {"run_id": "unet2d-3f9a"}, {"status": "failed", "failure": {"message": "loss is NaN"}}
    ... )
    unet2d-3f9a loss is NaN
    """
