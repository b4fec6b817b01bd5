"""Gradients of flat volumes in bf16 on a CPU, beside fp32's."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from harness.measure.compute import Compute

CPU = torch.device("cpu")
CONVOLUTIONS: dict[str, Callable[[], nn.Module]] = {
    "3": lambda: nn.Conv3d(24, 24, 3, padding=1),
    "5": lambda: nn.Conv3d(24, 24, 5, padding=2),
    "depthwise": lambda: nn.Conv3d(24, 24, 3, padding=1, groups=24),
    "transposed": lambda: nn.ConvTranspose3d(24, 24, 3, padding=1),
    "in-plane": lambda: nn.Conv3d(24, 24, (1, 3, 3), padding=(0, 1, 1)),
}


def gradient(network: nn.Module, volume: Tensor, target: Tensor, precision: str) -> Tensor:
    compute = Compute(CPU, precision)
    placed = compute.place(copy.deepcopy(network), 3)
    with compute.autocast():
        given = placed(Compute.channels_last(volume))
    (given.float() * target).sum().backward()
    grad = next(placed.parameters()).grad
    assert grad is not None
    return grad


@pytest.mark.parametrize("slices", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("kind", list(CONVOLUTIONS))
def test_the_gradient_in_bf16_is_that_of_fp32_but_for_rounding(kind: str, slices: int) -> None:
    torch.manual_seed(0)
    network = CONVOLUTIONS[kind]()
    volume, target = torch.randn(2, 24, slices, 6, 6), torch.randn(2, 24, slices, 6, 6)
    exact = gradient(network, volume, target, "fp32")
    # bf16 rounds each factor by at most 2**-9 of itself, their sum by less than 2**-8 of its norm.
    error = (gradient(network, volume, target, "bf16") - exact).norm() / exact.norm()
    assert error < 2**-7


def test_a_placed_network_can_be_copied_and_saved() -> None:
    network = Compute(CPU, "bf16").place(nn.Sequential(CONVOLUTIONS["3"]()), 3)
    copied = copy.deepcopy(network)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.zero_()
    assert copied(torch.ones(1, 24, 2, 4, 4)).abs().sum() == 0
    assert list(network.state_dict()) == ["0.weight", "0.bias"]
