"""A network over one whole volume on its own grid."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.measure.compute import Compute
from harness.plugins.records import Task

SLICES_AT_ONCE = 16
"""2D networks take a volume in chunks of so many slices, which bounds memory for tall volumes."""


def probabilities(model: nn.Module, image: Tensor, task: Task, compute: Compute) -> Tensor:
    """Class probabilities ``(z, K, H, W)``, float32, of an image ``(z, C, H, W)`` on the device."""
    with compute.autocast():
        logits = _slices(model, image, task) if task.dims == 2 else _volume(model, image, compute)
    return logits.float().softmax(1)


def _slices(model: nn.Module, image: Tensor, task: Task) -> Tensor:
    rows = torch.arange(len(image))[:, None] + torch.arange(task.slices) - task.slices // 2
    context = image[rows.clamp(0, len(image) - 1).to(image.device)].flatten(1, 2)
    chunks = [model(Compute.channels_last(chunk)) for chunk in torch.split(context, SLICES_AT_ONCE)]
    return torch.cat(chunks)


def _volume(model: nn.Module, image: Tensor, compute: Compute) -> Tensor:
    batch = Compute.channels_last(image.transpose(0, 1)[None])
    if compute.device.type == "cpu" and compute.precision == "fp32":
        # A lone fp32 volume leaves oneDNN for a path 16 to 24 times slower; a twin avoids it.
        batch = Compute.channels_last(batch.expand(2, *batch.shape[1:]))
    logits: Tensor = model(batch)[0]
    return logits.transpose(0, 1)
