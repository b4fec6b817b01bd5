"""From a run's spec to the task, the network and the loss that plugins make for it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.contract.spec import LossSpec, ModelSpec, PluginSpec, RunSpec
from harness.errors import PluginError
from harness.plugins.blame import calling
from harness.plugins.records import Task
from harness.plugins.resolve import resolve


def make_task(spec: RunSpec, channels: int) -> Task:
    """The task of a run on images of `channels` channels."""
    return task_of(spec.model, tuple(spec.dataset.structures), spec.protocol.class_weights, channels)


def task_of(
    model: ModelSpec, structures: tuple[str, ...], class_weights: Mapping[str, float], channels: int
) -> Task:
    """The task of a model on images of `channels` channels; a class without a weight has 1."""
    slices = context_slices(model)
    return Task(
        dims=model.trained_dims,
        channels=channels * slices,
        classes=len(structures) + 1,
        class_weights=tuple(float(class_weights.get(name, 1.0)) for name in ("background", *structures)),
        structures=structures,
        slices=slices,
    )


def context_slices(model: ModelSpec) -> int:
    """Neighbouring slices that a 2D model takes as channels: its parameter ``slices``."""
    slices = model.params.get("slices", 1) if model.dims == 2 else 1
    if not isinstance(slices, int) or slices < 1 or slices % 2 == 0:
        raise PluginError(f"slices = {slices!r}", where=model.label, remedy="It must be an odd whole number.")
    return slices


def make_model(spec: RunSpec, task: Task) -> nn.Module:
    """The plugin's network with weights drawn from the run's seed."""
    return network_of(spec.model, task, spec.seed)


def network_of(model: ModelSpec, task: Task, seed: int) -> nn.Module:
    """The network of a plugin with weights drawn from `seed`."""
    torch.manual_seed(seed)
    with calling("model"):
        return _make(model, task)


def make_loss(spec: RunSpec, task: Task) -> nn.Module:
    """The plugin's loss."""
    return criterion_of(spec.loss, task)


def criterion_of(loss: LossSpec, task: Task) -> nn.Module:
    """The loss of a plugin."""
    with calling("loss"):
        return _make(loss, task)


def _make(plugin: PluginSpec, task: Task) -> nn.Module:
    target = resolve(plugin.target, where=plugin.name)
    if not callable(target):
        raise PluginError(f"target {plugin.target!r} can't be called", where=plugin.name)
    made = target(task, **plugin.params)
    if not isinstance(made, nn.Module):
        raise PluginError(f"target gave a {type(made).__name__}, not a torch.nn.Module", where=plugin.name)
    return made


def check_loss(loss: object) -> None:
    """PluginError unless `loss` is a scalar tensor."""
    if not isinstance(loss, Tensor) or loss.ndim != 0:
        what = f"a tensor {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise PluginError(f"gave {what} instead of a scalar tensor")
    if not loss.requires_grad:
        raise PluginError("gave a value without a gradient: nothing would be learned")
