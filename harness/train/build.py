"""Build the task of a run, and the network and the loss from its plugins."""

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
    """The task of a run on images with `channels` channels."""
    return task_of(spec.model, tuple(spec.dataset.structures), spec.protocol.class_weights, channels)


def task_of(
    model: ModelSpec, structures: tuple[str, ...], class_weights: Mapping[str, float], channels: int
) -> Task:
    """The task of a model on images with `channels` channels; a class without a weight has 1."""
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
    """The number of adjacent slices that a 2D model takes as channels: its parameter ``slices``."""
    slices = model.params.get("slices", 1) if model.dims == 2 else 1
    if not isinstance(slices, int) or slices < 1 or slices % 2 == 0:
        raise PluginError(
            f"slices = {slices!r}", where=model.label, remedy="It must be an odd positive integer."
        )
    return slices


def make_model(spec: RunSpec, task: Task) -> nn.Module:
    """The plugin's network, its weights initialised from the run's seed."""
    return network_of(spec.model, task, spec.seed)


def network_of(model: ModelSpec, task: Task, seed: int) -> nn.Module:
    """The network of a plugin, its weights initialised from `seed`."""
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
        raise PluginError(f"target {plugin.target!r} is not callable", where=plugin.name)
    module = target(task, **plugin.params)
    if not isinstance(module, nn.Module):
        raise PluginError(
            f"target returned a {type(module).__name__}, expected torch.nn.Module", where=plugin.name
        )
    return module


def check_loss(loss: object) -> None:
    """PluginError unless `loss` is a scalar tensor."""
    if not isinstance(loss, Tensor) or loss.ndim != 0:
        returned = f"a tensor {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise PluginError(f"returned {returned}, expected a scalar tensor")
    if not loss.requires_grad:
        raise PluginError("returned a value without a gradient, so nothing can be learned")
