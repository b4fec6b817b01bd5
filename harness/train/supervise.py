"""Deep supervision: a network in training may give several outputs, the loss of each is weighted.

As nnU-Net does it (Isensee et al., Nature Methods 18, 203-211, 2021): half the weight from each output
to the next, weights that sum to 1, labels brought to the size of an output by the nearest neighbour.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate

from harness.errors import PluginError
from harness.plugins.records import Task
from harness.predict.forward import check_logits
from harness.train.build import check_loss


def outputs_of(given: object) -> list[Tensor]:
    """What a forward pass gave as a list, the full-size logits first; unchecked, see `check_outputs`."""
    return list(given) if isinstance(given, list | tuple) else [given]  # type: ignore[list-item]


def check_outputs(outputs: list[Tensor], batch: Tensor, task: Task) -> None:
    """PluginError unless the first are logits of the size of `batch`, and others no larger."""
    if not outputs:
        raise PluginError("forward gave an empty list instead of logits")
    check_logits(outputs[0], batch, task)
    for number, output in enumerate(outputs[1:], 2):
        name = f"forward gave as output {number} of {len(outputs)}"
        if not isinstance(output, Tensor):
            raise PluginError(f"{name} a {type(output).__name__} instead of logits")
        shape, most = tuple(output.shape), tuple(batch.shape[2:])
        fits = len(shape) == batch.ndim and all(0 < n <= m for n, m in zip(shape[2:], most, strict=True))
        if not fits or shape[:2] != (len(batch), task.classes):
            raise PluginError(
                f"{name} logits {shape}, expected {(len(batch), task.classes)} and a size of at most {most}"
            )


def weights(outputs: int) -> list[float]:
    """1, 1/2, 1/4 … divided by their sum."""
    halves = [0.5**level for level in range(outputs)]
    return [each / sum(halves) for each in halves]


def supervised(criterion: nn.Module, outputs: list[Tensor], labels: Tensor, *, check: bool = False) -> Tensor:
    """The weighted sum of the losses of `outputs`, in fp32; the loss itself where there is one output.

    `labels` are ``(B, ...)`` int64. With `check`, PluginError for a loss that is not a scalar.
    """
    total: Tensor | None = None
    for weight, output in zip(weights(len(outputs)), outputs, strict=True):
        loss = criterion(output.float(), resized(labels, output.shape[2:]))
        if check:
            check_loss(loss)
        total = weight * loss if total is None else total + weight * loss
    assert total is not None
    return total


def resized(labels: Tensor, size: tuple[int, ...]) -> Tensor:
    """Labels ``(B, ...)`` of another `size`: those of the pixels nearest to the new ones' centres."""
    if labels.shape[1:] == size:
        return labels
    return interpolate(labels[:, None].float(), tuple(size), mode="nearest-exact")[:, 0].to(labels.dtype)
