"""Deep supervision: in training a network may return several outputs, whose losses are weighted.

As in nnU-Net (Isensee et al., Nature Methods 18, 203-211, 2021), the weight is halved from each output to
the next, the weights sum to 1, and labels are resized to each output by nearest-neighbour interpolation.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate

from harness.errors import PluginError
from harness.plugins.records import Task
from harness.predict.forward import check_logits
from harness.train.build import check_loss


def outputs_of(returned: object) -> list[Tensor]:
    """The outputs of a forward pass as a list, the full-size logits first; `check_outputs` checks them."""
    return list(returned) if isinstance(returned, list | tuple) else [returned]  # type: ignore[list-item]


def check_outputs(outputs: list[Tensor], batch: Tensor, task: Task) -> None:
    """PluginError unless the first output has the size of `batch` and the others are no larger."""
    if not outputs:
        raise PluginError("forward returned an empty list instead of logits")
    check_logits(outputs[0], batch, task)
    for number, output in enumerate(outputs[1:], 2):
        name = f"output {number} of {len(outputs)} of forward"
        if not isinstance(output, Tensor):
            raise PluginError(f"{name} is a {type(output).__name__}, expected logits")
        shape, full_size = tuple(output.shape), tuple(batch.shape[2:])
        fits = len(shape) == batch.ndim and all(0 < n <= m for n, m in zip(shape[2:], full_size, strict=True))
        if not fits or shape[:2] != (len(batch), task.classes):
            raise PluginError(
                f"{name} has shape {shape}, expected {(len(batch), task.classes)} "
                f"and a size of at most {full_size}"
            )


def weights(outputs: int) -> list[float]:
    """The weights 1, 1/2, 1/4, … divided by their sum."""
    halves = [0.5**level for level in range(outputs)]
    return [half / sum(halves) for half in halves]


def supervised(criterion: nn.Module, outputs: list[Tensor], labels: Tensor, *, check: bool = False) -> Tensor:
    """The weighted sum of the losses of `outputs`, in fp32; for a single output its loss.

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
    """Labels ``(B, ...)`` resized to `size` by nearest-neighbour interpolation."""
    if labels.shape[1:] == size:
        return labels
    return interpolate(labels[:, None].float(), tuple(size), mode="nearest-exact")[:, 0].to(labels.dtype)
