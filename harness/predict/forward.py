"""The forward pass of a network over a whole volume, on the network's grid."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.errors import PluginError
from harness.measure.compute import Compute
from harness.plugins.blame import calling
from harness.plugins.records import Task

SLICES_AT_ONCE = 16
"""The chunk size of 2D networks, which bounds the memory that a volume with many slices takes."""


def probabilities(model: nn.Module, image: Tensor, task: Task, compute: Compute) -> Tensor:
    """Class probabilities ``(z, K, H, W)``, float32, of an image ``(z, C, H, W)`` on the device.

    PluginError if the network returns another shape, which can depend on the input size.
    """
    with compute.autocast(), compute.without_benchmark(), calling("model"):
        logits = _slices(model, image, task) if task.dims == 2 else _volume(model, image, task, compute)
    return logits.float().softmax(1)


def _slices(model: nn.Module, image: Tensor, task: Task) -> Tensor:
    rows = torch.arange(len(image))[:, None] + torch.arange(task.slices) - task.slices // 2
    context = image[rows.clamp(0, len(image) - 1).to(image.device)].flatten(1, 2)
    chunks = (Compute.channels_last(chunk) for chunk in torch.split(context, SLICES_AT_ONCE))
    return torch.cat([check_logits(model(chunk), chunk, task) for chunk in chunks])


def _volume(model: nn.Module, image: Tensor, task: Task, compute: Compute) -> Tensor:
    batch = Compute.channels_last(image.transpose(0, 1)[None])
    if compute.device.type == "cpu" and compute.precision == "fp32":
        # With a batch of one fp32 volume, torch avoids oneDNN and is 16 to 24 times slower; so use two.
        batch = Compute.channels_last(batch.expand(2, *batch.shape[1:]))
    return check_logits(model(batch), batch, task)[0].transpose(0, 1)


def check_logits(logits: object, batch: Tensor, task: Task) -> Tensor:
    """The logits; PluginError unless they are ``(B, K, ...)`` of the spatial size of `batch`."""
    expected = (batch.shape[0], task.classes, *batch.shape[2:])
    if not isinstance(logits, Tensor):
        raise PluginError(f"forward returned a {type(logits).__name__}, expected logits {expected}")
    if tuple(logits.shape) != expected:
        raise PluginError(
            f"forward returned logits {tuple(logits.shape)} for input {tuple(batch.shape)}, "
            f"expected {expected}"
        )
    return logits
