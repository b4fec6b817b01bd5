"""Checks of a loss on extremes: confident predictions, empty slices, slices with a single structure."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harness.testing.check import CheckFailed, attempt
from harness.testing.losses.fixtures import (
    CLASSES,
    FINITE,
    STRUCTURES,
    build,
    certain,
    dims_of,
    noisy,
    value_of,
)
from harness.testing.phantom import phantom
from harness.testing.subject import Subject


def perfect(subject: Subject) -> str:
    """A perfect, confident prediction has a finite loss and gradient."""
    _, labels = phantom(dims_of(subject))
    return _finite(subject, certain(labels), labels, "for a perfect prediction")


def worst(subject: Subject) -> str:
    """A prediction that is confident and wrong everywhere has a finite loss and gradient."""
    _, labels = phantom(dims_of(subject))
    return _finite(
        subject,
        certain((labels + 1) % CLASSES),
        labels,
        "for a prediction that is confident and wrong everywhere",
    )


def empty_target(subject: Subject) -> str:
    """A slice without any structure has a finite loss and gradient, whatever is predicted."""
    logits, labels = noisy(dims_of(subject))
    empty = torch.zeros_like(labels)
    _finite(subject, logits, empty, "for an empty reference")
    return _finite(subject, certain(empty, 10), empty, "for an empty reference, correctly predicted")


def one_class_target(subject: Subject) -> str:
    """A reference with a single structure and no background has a finite loss and gradient."""
    logits, labels = noisy(dims_of(subject))
    for number, name in enumerate(STRUCTURES, 1):
        alone = torch.full_like(labels, number)
        _finite(subject, logits, alone, f"for a reference that is all {name}")
        value = _finite(
            subject, certain(alone, 10), alone, f"for a reference that is all {name}, correctly predicted"
        )
    return value


def half(subject: Subject) -> str:
    """Logits in half precision give a finite value close to that of full precision: sums don't overflow."""
    dims = dims_of(subject)
    draw = torch.Generator().manual_seed(0)
    shape = (192, 192) if dims == 2 else (8, 96, 96)
    logits = 2 * torch.randn(2, CLASSES, *shape, generator=draw)
    labels = torch.randint(CLASSES, (2, *shape), generator=draw)
    remedy = "Start with logits = logits.float()."
    full = value_of(build(subject, dims), logits, labels).item()
    for dtype in (torch.bfloat16, torch.float16):
        with attempt(f"with logits in {dtype}", remedy):
            value = value_of(build(subject, dims), logits.to(dtype), labels).item()
        if not math.isfinite(value) or abs(value - full) > 0.05 * abs(full) + 0.01:
            raise CheckFailed(f"is {value:.4g} with logits in {dtype}, {full:.4g} in full precision", remedy)
    return "bfloat16 and float16"


def _finite(subject: Subject, logits: Tensor, labels: Tensor, when: str) -> str:
    with attempt(when, FINITE):
        leaf = logits.clone().requires_grad_()
        value = value_of(build(subject, labels.ndim - 1), leaf, labels)
        value.backward()  # type: ignore[no-untyped-call]  # torch has no stub
    if not value.isfinite():
        raise CheckFailed(f"is {value.item()} {when}", FINITE)
    if leaf.grad is None or not leaf.grad.isfinite().all():
        raise CheckFailed(f"its gradient is not finite {when}", FINITE)
    return f"{value.item():z.4g}"
