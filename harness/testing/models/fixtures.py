"""The network under check, its inputs, and the comparison of outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from harness.plugins.records import Model, Task
from harness.predict.forward import check_logits
from harness.testing.check import CheckFailed, attempt
from harness.testing.subject import Subject
from harness.train.build import network_of, task_of
from harness.train.supervise import check_outputs, outputs_of, supervised

STRUCTURES = ("RV", "MYO", "LV")

CORRECT = "Correct that line; forward takes images (B, C, H, W), or (B, C, D, H, W) where dims is 3."

BASE = {2: (64, 64), 3: (4, 64, 64)}
"""The image size in most checks: it can be halved six times, and a check takes little time."""


def dims_of(subject: Subject) -> int:
    assert isinstance(subject.record, Model)
    return subject.record.dims


def build(
    subject: Subject, channels: int = 1, structures: tuple[str, ...] = STRUCTURES, seed: int = 0
) -> tuple[nn.Module, Task]:
    task = task_of(subject.model, structures, {}, channels)
    return network_of(subject.model, task, seed), task


def images_of(task: Task, size: tuple[int, ...] | None = None, batch: int = 2, seed: int = 0) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(batch, task.channels, *(size or BASE[task.dims]), generator=draw)


def labels_of(task: Task, images: Tensor, seed: int = 0) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    drawn = torch.randint(task.classes, (len(images), *images.shape[2:]), generator=draw)
    return drawn.to(images.device)


def forward(
    model: nn.Module,
    images: Tensor,
    task: Task,
    remedy: str = "",
    doing: str = "",
) -> Tensor:
    """The logits of a copy of `images`; CheckFailed with `remedy` if their shape is wrong."""
    for_shape = remedy or "Return logits (B, K, …) of the input's size for every input."
    with attempt(doing or f"forward of {tuple(images.shape)}", for_shape, "" if remedy else CORRECT):
        return outputs(model, images.clone(memory_format=torch.preserve_format), task)[0]


def outputs(model: nn.Module, images: Tensor, task: Task) -> list[Tensor]:
    """All outputs, the full-size logits first; in training mode there may be several (deep supervision)."""
    returned = model(images)
    if not model.training:
        return [check_logits(returned, images, task)]
    all_outputs = outputs_of(returned)
    check_outputs(all_outputs, images, task)
    return all_outputs


def loss_of(model: nn.Module, images: Tensor, task: Task) -> Tensor:
    return supervised(nn.CrossEntropyLoss(), outputs(model, images, task), labels_of(task, images))


def take_step(model: nn.Module, images: Tensor, labels: Tensor, optimiser: torch.optim.Optimizer) -> None:
    all_outputs = outputs_of(model.train()(images.clone(memory_format=torch.preserve_format)))
    loss = supervised(nn.CrossEntropyLoss(), all_outputs, labels)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no stub
    optimiser.step()


def check_finite(model: nn.Module, logits: Tensor, when: str, remedy: str) -> None:
    if not logits.isfinite().all():
        raise CheckFailed(f"logits are not finite {when}", remedy)
    for name, value in model.named_parameters():
        if value.grad is not None and not value.grad.isfinite().all():
            raise CheckFailed(f"the gradient of {name} is not finite {when}", remedy)


def same(a: Tensor, b: Tensor | None) -> bool:
    return b is not None and a.shape == b.shape and torch.equal(a, b)


def close(a: Tensor, b: Tensor, share: float = 1e-4) -> bool:
    scale = a.abs().max().item()
    return a.shape == b.shape and bool((a - b).abs().max() <= share * scale + 1e-6)


def difference(a: Tensor, b: Tensor) -> str:
    return f"{(a - b).abs().max().item():.2g} of {a.abs().max().item():.2g}"


def by(size: tuple[int, ...] | torch.Size) -> str:
    return " x ".join(map(str, size))
