"""The networks that checks build, what goes into them, and how two outputs are compared."""

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
"""The size of images in most checks: six halvings fit into it, and a check takes a moment."""


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
    told: str = "",
) -> Tensor:
    """Logits of a copy of `images`, of the right shape; CheckFailed with `remedy` otherwise."""
    wrong = remedy or "Give logits (B, K, …) of the input's size for every input."
    with attempt(told or f"forward of {tuple(images.shape)}", wrong, "" if remedy else CORRECT):
        return outputs(model, images.clone(memory_format=torch.preserve_format), task)[0]


def outputs(model: nn.Module, images: Tensor, task: Task) -> list[Tensor]:
    """All outputs, the full-size logits first; in training there may be several (deep supervision)."""
    given = model(images)
    if not model.training:
        return [check_logits(given, images, task)]
    several = outputs_of(given)
    check_outputs(several, images, task)
    return several


def loss_of(model: nn.Module, images: Tensor, task: Task) -> Tensor:
    return supervised(nn.CrossEntropyLoss(), outputs(model, images, task), labels_of(task, images))


def take_step(model: nn.Module, images: Tensor, labels: Tensor, optimiser: torch.optim.Optimizer) -> None:
    several = outputs_of(model.train()(images.clone(memory_format=torch.preserve_format)))
    loss = supervised(nn.CrossEntropyLoss(), several, labels)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no stub
    optimiser.step()


def check_finite(model: nn.Module, given: Tensor, when: str, remedy: str) -> None:
    if not given.isfinite().all():
        raise CheckFailed(f"logits are not finite {when}", remedy)
    for name, value in model.named_parameters():
        if value.grad is not None and not value.grad.isfinite().all():
            raise CheckFailed(f"the gradient of {name} is not finite {when}", remedy)


def same(one: Tensor, other: Tensor | None) -> bool:
    return other is not None and one.shape == other.shape and torch.equal(one, other)


def close(one: Tensor, other: Tensor, share: float = 1e-4) -> bool:
    scale = one.abs().max().item()
    return one.shape == other.shape and bool((one - other).abs().max() <= share * scale + 1e-6)


def difference(one: Tensor, other: Tensor) -> str:
    return f"{(one - other).abs().max().item():.2g} of {one.abs().max().item():.2g}"


def by(size: tuple[int, ...] | torch.Size) -> str:
    return " x ".join(map(str, size))
