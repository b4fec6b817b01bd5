"""What a loss must bear: certainty, right or wrong, and slices without a structure or with one alone."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from harness.testing.check import CheckFailed, attempt
from harness.testing.losses.given import CLASSES, FINITE, STRUCTURES, build, certain, dims_of, noisy, value_of
from harness.testing.phantom import phantom
from harness.testing.subject import Subject


def perfect(subject: Subject) -> str:
    """A perfect, certain prediction has a finite cost and gradient."""
    _, labels = phantom(dims_of(subject))
    return _finite(subject, certain(labels), labels, "for a perfect prediction")


def worst(subject: Subject) -> str:
    """A prediction that is certain and wrong everywhere has a finite cost and gradient."""
    _, labels = phantom(dims_of(subject))
    return _finite(subject, certain((labels + 1) % CLASSES), labels, "where all is wrong and certain")


def empty_target(subject: Subject) -> str:
    """A slice without any structure has a finite cost and gradient, whatever is predicted."""
    logits, labels = noisy(dims_of(subject))
    empty = torch.zeros_like(labels)
    _finite(subject, logits, empty, "for an empty reference")
    return _finite(subject, certain(empty, 10), empty, "for an empty reference, predicted as such")


def one_class_target(subject: Subject) -> str:
    """A target of one structure alone, without background, has a finite cost and gradient."""
    logits, labels = noisy(dims_of(subject))
    for number, name in enumerate(STRUCTURES, 1):
        alone = torch.full_like(labels, number)
        _finite(subject, logits, alone, f"for a target that is all {name}")
        told = _finite(
            subject, certain(alone, 10), alone, f"for a target that is all {name}, predicted as such"
        )
    return told


def half(subject: Subject) -> str:
    """Logits in half precision give a finite value near that of full precision: sums don't overflow."""
    dims = dims_of(subject)
    draw = torch.Generator().manual_seed(0)
    shape = (192, 192) if dims == 2 else (8, 96, 96)
    logits = 2 * torch.randn(2, CLASSES, *shape, generator=draw)
    labels = torch.randint(CLASSES, (2, *shape), generator=draw)
    remedy = "Begin with logits = logits.float()."
    full = value_of(build(subject, dims), logits, labels).item()
    for dtype in (torch.bfloat16, torch.float16):
        with attempt(f"with logits in {dtype}", remedy):
            value = value_of(build(subject, dims), logits.to(dtype), labels).item()
        if not math.isfinite(value) or abs(value - full) > 0.05 * abs(full) + 0.01:
            raise CheckFailed(
                f"costs {value:.4g} with logits in {dtype}, {full:.4g} in full precision", remedy
            )
    return "bfloat16 and float16"


def _finite(subject: Subject, logits: Tensor, labels: Tensor, when: str) -> str:
    with attempt(when, FINITE):
        given = logits.clone().requires_grad_()
        value = value_of(build(subject, labels.ndim - 1), given, labels)
        value.backward()  # type: ignore[no-untyped-call]  # torch has no stub
    if not value.isfinite():
        raise CheckFailed(f"costs {value.item()} {when}", FINITE)
    if given.grad is None or not given.grad.isfinite().all():
        raise CheckFailed(f"its gradient is not finite {when}", FINITE)
    return f"{value.item():z.4g}"
