"""From a run's spec to the task, the network and the loss that plugins make for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from harness.errors import PluginError
from harness.plugins.blame import calling
from harness.plugins.records import Task
from harness.plugins.resolve import resolve


def make_task(spec: Mapping[str, Any], channels: int) -> Task:
    """The task of a run on images of `channels` channels."""
    structures = tuple(spec["dataset"]["structures"])
    weights = spec["protocol"]["class_weights"]
    slices = context_slices(spec)
    return Task(
        dims=spec["model"]["dims"],
        channels=channels * slices,
        classes=len(structures) + 1,
        class_weights=tuple(float(weights.get(name, 1.0)) for name in ("background", *structures)),
        structures=structures,
        slices=slices,
    )


def context_slices(spec: Mapping[str, Any]) -> int:
    """Neighbouring slices that a 2D model takes as channels: its parameter ``slices``."""
    slices = spec["model"]["params"].get("slices", 1) if spec["model"]["dims"] == 2 else 1
    if not isinstance(slices, int) or slices < 1 or slices % 2 == 0:
        raise PluginError(
            f"slices = {slices!r}", where=spec["model"]["label"], remedy="It must be an odd whole number."
        )
    return slices


def make_model(spec: Mapping[str, Any], task: Task) -> nn.Module:
    """The plugin's network with weights drawn from the run's seed."""
    torch.manual_seed(spec["seed"])
    with calling("model"):
        return _make(spec["model"], task)


def make_loss(spec: Mapping[str, Any], task: Task) -> nn.Module:
    """The plugin's loss."""
    with calling("loss"):
        return _make(spec["loss"], task)


def _make(plugin: Mapping[str, Any], task: Task) -> nn.Module:
    target = resolve(plugin["target"], where=plugin["name"])
    if not callable(target):
        raise PluginError(f"target {plugin['target']!r} can't be called", where=plugin["name"])
    made = target(task, **plugin["params"])
    if not isinstance(made, nn.Module):
        raise PluginError(f"target gave a {type(made).__name__}, not a torch.nn.Module", where=plugin["name"])
    return made


def check_loss(loss: object) -> None:
    """PluginError unless `loss` is a scalar tensor."""
    if not isinstance(loss, Tensor) or loss.ndim != 0:
        what = f"a tensor {tuple(loss.shape)}" if isinstance(loss, Tensor) else type(loss).__name__
        raise PluginError(f"gave {what} instead of a scalar tensor")
    if not loss.requires_grad:
        raise PluginError("gave a value without a gradient: nothing would be learned")
