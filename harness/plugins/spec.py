"""The hooks: what a plugin may implement. Facts are in the records that hooks return (records.py).

A plugin is a module that an entry point of the group ``harness`` names, or a file given with
``-p``. Its hooks are functions with the names below, marked with ``@hookimpl``. Names that start
with ``harness_`` are kept for hooks: a function of such a name that is no hook, or is not marked,
is reported as a mistake.
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

    Called once, when plugins are discovered: at the start of every command and of every run's
    process. Return `Model` records, or yield them. Don't import the network here: `target` names
    it, and it is imported by the run that needs it.

    An error makes this plugin a broken row in ``harness plugins``. Records yielded before the
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

    Called once, when plugins are discovered. Return `Loss` records, or yield them. An error makes
    this plugin a broken row in ``harness plugins``; the rest works.

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

    Called once, when plugins are discovered. Return `Dataset` records, or yield them. No file is
    read here: `target` is called with the folder when a plan needs the cases. An error makes this
    plugin a broken row in ``harness plugins``; the rest works.

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
    """Register executors: places where runs happen, such as a cluster's queue.

    Called once, when plugins are discovered. Return `Executor` records, or yield them. `target` is
    called with the parameters when ``harness run --executor NAME`` needs it, and gives an object
    with the methods of `harness.execute.executor.RunExecutor`. An error makes this plugin a broken row
    in ``harness plugins``; the rest works.

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
    """Say why a combination can't be run.

    Called for every combination while a leaderboard is planned, with the three records. Return
    the reason in a few words: the entry is then skipped and shown with it. Return None to let it
    run. The first reason of all plugins counts. An implementation may leave out arguments that
    it does not read.

    An error, or anything but a text or None, skips the entry; the reason names this plugin.

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
    """Observe that a run starts, or goes on after an interruption.

    Called in the run's process, before any data is read. `run` is the run's specification as in
    ``spec.json``: ``run["run_id"]``, ``run["model"]["name"]``. `place` is where this plugin shall
    report to: what ``--observe NAME=PLACE`` or ``[observers]`` of harness.toml says for the name of
    its entry point, or the stem of its file; None where nothing does. All three hooks of a run get
    it, and may leave out arguments that they don't read. Return nothing.

    An observer gets copies and can't change the run, nor its keys. Its error is a warning in the
    run's log and a note in the terminal, and the run goes on.

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

    Called in the run's process after the epoch. `epoch` has its figures: ``epoch``
    (from 1), ``epochs``, ``loss``, and ``validation_dice`` where it was measured. A run that goes on
    reports only the epochs that it still trains, some of them for the second time. Return nothing;
    training waits meanwhile, outside every clock but the wall's. An error is a warning and a note.

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
    """Observe that a run ended, well or not.

    Called in the run's process after its record is on disk. `record` is the content of
    ``record.json``; ``record["status"]`` is ``"done"``, or says how the run failed. `cases` are the
    lines of ``cases.jsonl``, a mapping a score. A process that is killed or interrupted calls
    nothing. Return nothing. An error is a warning and a note.

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
