"""FLOPs and parameters against closed forms."""

import torch
from torch import Tensor, nn

from harness.measure.cost import flops, parameters


def test_a_convolution_counts_two_per_multiply_add() -> None:
    conv = nn.Conv2d(3, 5, 3, padding=1)
    assert flops(conv, (2, 3, 8, 10)) == 2 * (2 * 8 * 10) * 5 * 3 * 9
    assert parameters(conv) == 5 * 3 * 9 + 5


def test_frozen_parameters_are_not_trainable_ones() -> None:
    conv = nn.Conv2d(1, 1, 1)
    conv.bias.requires_grad_(False)
    assert parameters(conv) == 1


def test_a_module_that_looks_at_values_has_no_count_and_no_crash() -> None:
    class Looks(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if float(x.sum()) > 0 else -x

    assert flops(Looks(), (1, 1)) is None


def test_counting_leaves_the_module_as_it_was() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    flops(net, (1, 1, 8, 8))
    assert net.training
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
