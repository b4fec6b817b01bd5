"""Checks that a loss can be optimised: its gradient is correct, and better predictions have a lower loss."""

from __future__ import annotations

import copy
import itertools
import math

import torch
from torch import Tensor, nn

from harness.testing.check import CheckFailed, attempt
from harness.testing.losses.fixtures import CLASSES, build, certain, dims_of, noisy, value_of
from harness.testing.phantom import phantom
from harness.testing.subject import Subject

STEPS = 20


def gradient(subject: Subject) -> str:
    """The gradient agrees with finite differences in double precision."""
    dims = dims_of(subject)
    logits, labels = noisy(dims)
    near = (slice(None),) * 2 + (slice(None, None, 3),) * dims
    small, small_labels = logits[near].double(), labels[(near[0], *near[2:])]
    criterion = copy.deepcopy(build(subject, dims)).double()
    with attempt("in double precision", "Create new tensors with the dtype of the logits."):
        point = small.clone().requires_grad_()
        value = value_of(criterion, point, small_labels)
        (analytic,) = torch.autograd.grad(value, point)
    draw = torch.Generator().manual_seed(1)

    def at(way: Tensor, steps: float) -> float:
        with torch.no_grad():
            return value_of(criterion, small + steps * way, small_labels, False).item()

    # A loss may compute in fp32, at least partly: then it ignores tiny steps, or is not smooth.
    way = torch.randn(small.shape, generator=draw, dtype=torch.float64)
    rough = abs(at(way, 1e-5) + at(way, -1e-5) - 2 * value.item()) > 1e-9 * max(1.0, abs(value.item()))
    exact = not rough and at(way, 1e-10) != value.item()
    width, share = (1e-5, 1e-4) if exact else (2e-2, 3e-2)
    for _ in range(4):
        way = torch.randn(small.shape, generator=draw, dtype=torch.float64)
        measured, expected = (at(way, width) - at(way, -width)) / (2 * width), (analytic * way).sum().item()
        # Along a direction in which changes cancel out, only the error of their sum counts.
        scale = (analytic * way).abs().sum().item() / math.sqrt(way.numel()) + abs(measured)
        if abs(measured - expected) > share * scale:
            raise CheckFailed(
                f"in a random direction the value rises by {measured:.5g}, the gradient gives {expected:.5g}",
                "Don't compute the value with detach(), argmax or rounding; or correct backward().",
            )
    return "4 directions" + ("" if exact else ", as fp32")


def better_costs_less(subject: Subject) -> str:
    """A better prediction never has a higher loss, whether it improves by confidence or by pixels."""
    dims = dims_of(subject)
    _, labels = phantom(dims)
    wrong = (labels + 1) % CLASSES
    right, false = certain(labels, 6), certain(wrong, 6)
    draw = torch.rand(labels.shape, generator=torch.Generator().manual_seed(0))[:, None]
    steps = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    ways = {
        "more confident and correct": [share * right + (1 - share) * false for share in steps],
        "correct in more pixels": [torch.where(draw < share, right, false) for share in steps],
    }
    for better, way in ways.items():
        costs = [value_of(build(subject, dims), logits, labels).item() for logits in way]
        for before, after in itertools.pairwise(costs):
            if not after <= before + 1e-4 * max(map(abs, costs)) + 1e-12:
                raise CheckFailed(
                    f"a prediction that is {better} has the loss {after:.5g} instead of {before:.5g}",
                    "Check the sign: the loss is minimised, so use 1 - Dice, for example.",
                )
    return f"{costs[0]:.4g} all wrong, {costs[-1]:.4g} all right"


def descends(subject: Subject) -> str:
    """Twenty steps of AdamW on a phantom lower the loss."""
    dims = dims_of(subject)
    images, labels = phantom(dims)
    torch.manual_seed(0)
    conv = nn.Conv2d if dims == 2 else nn.Conv3d
    net = nn.Sequential(conv(1, 8, 3, padding=1), nn.ReLU(), conv(8, CLASSES, 3, padding=1))
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.02)
    criterion = build(subject, dims)
    costs = []
    for _ in range(STEPS):
        optimiser.zero_grad(set_to_none=True)
        value = value_of(criterion, net(images), labels)
        with attempt("backward()", "Correct that line."):
            value.backward()  # type: ignore[no-untyped-call]  # torch has no stub
        optimiser.step()
        costs.append(value.item())
    if not costs[-1] < costs[0] - 1e-3 * abs(costs[0]):
        raise CheckFailed(
            f"is {costs[0]:.5g} before and {costs[-1]:.5g} after {STEPS} steps",
            "Make sure that its gradient is neither zero (clamping, rounding) nor as small as AdamW's 1e-8.",
        )
    return f"{costs[0]:.4g} to {costs[-1]:.4g}"
