"""A network over a whole volume: the same answer however the volume is cut, and a checked shape."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from harness.errors import PluginError
from harness.measure.compute import Compute
from harness.plugins.records import Task
from harness.predict.forward import SLICES_AT_ONCE, probabilities

CPU = Compute(torch.device("cpu"), "fp32")


def task(dims: int = 2, slices: int = 1, classes: int = 3) -> Task:
    return Task(dims, slices, classes, (1.0,) * classes, ("RV", "LV")[: classes - 1], slices)


@torch.inference_mode()
def test_probabilities_are_the_softmax_of_each_slice() -> None:
    torch.manual_seed(0)
    net, image = nn.Conv2d(1, 3, 3, padding=1), torch.randn(5, 1, 9, 7)
    maps = probabilities(net, image, task(), CPU)
    assert maps.shape == (5, 3, 9, 7)
    torch.testing.assert_close(maps, net(image).softmax(1))
    torch.testing.assert_close(maps.sum(1), torch.ones(5, 9, 7))


@torch.inference_mode()
def test_a_volume_taller_than_a_chunk_is_answered_in_order() -> None:
    """Otherwise slices of a tall scan would be swapped or lost."""
    count = 2 * SLICES_AT_ONCE + 1
    image = torch.arange(count).float()[:, None, None, None].expand(-1, 1, 4, 4)

    class Echo(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            assert len(x) <= SLICES_AT_ONCE
            return torch.cat([torch.zeros_like(x), x.log()], dim=1)

    maps = probabilities(Echo(), image, task(classes=2), CPU)
    # softmax of (0, log z) is z / (1 + z).
    z = torch.arange(count).float()
    torch.testing.assert_close(maps[:, 1, 0, 0], z / (1 + z))


@torch.inference_mode()
def test_context_slices_are_the_neighbours_with_the_edge_repeated() -> None:
    seen: list[Tensor] = []

    class Look(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x[:, :, 0, 0])
            return x

    image = torch.arange(4).float()[:, None, None, None].expand(-1, 1, 2, 2)
    probabilities(Look(), image, task(slices=3), CPU)
    assert seen[0].tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 3]]


@torch.inference_mode()
@pytest.mark.parametrize("depth", [1, 2, 7])
def test_a_3d_network_sees_the_volume_whole(depth: int) -> None:
    torch.manual_seed(0)
    net, image = nn.Conv3d(1, 3, 3, padding=1), torch.randn(depth, 1, 6, 5)
    maps = probabilities(net, image, task(3), CPU)
    expected = net(image.transpose(0, 1)[None])[0].transpose(0, 1).softmax(1)
    torch.testing.assert_close(maps, expected, rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_bf16_answers_in_fp32_and_nearly_the_same() -> None:
    torch.manual_seed(0)
    net, image = nn.Conv2d(1, 3, 3, padding=1), torch.randn(2, 1, 8, 8)
    low = probabilities(net, image, task(), Compute(torch.device("cpu"), "bf16"))
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, probabilities(net, image, task(), CPU), rtol=0, atol=0.05)


WRONG: dict[str, tuple[int, Callable[[Tensor], object], str]] = {
    "a class short": (2, lambda x: x.repeat(1, 2, 1, 1), r"\(2, 2, 8, 8\).*expected \(2, 3, 8, 8\)"),
    "half the size": (2, lambda x: x[..., ::2, ::2].repeat(1, 3, 1, 1), r"expected \(2, 3, 8, 8\)"),
    "a slice short": (3, lambda x: x[:, :, 1:].repeat(1, 3, 1, 1, 1), r"expected \(2, 3, 2, 8, 8\)"),
    "several outputs": (2, lambda x: [x.repeat(1, 3, 1, 1)], "list, expected logits"),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_wrong_output_is_the_models_fault_also_after_training(how: str) -> None:
    """A net that is right in training and wrong in eval, or right for one depth only, is common."""
    dims, answer, told = WRONG[how]

    class Wrong(nn.Module):
        def forward(self, x: Tensor) -> object:
            return answer(x)

    with pytest.raises(PluginError, match=told):
        probabilities(Wrong(), torch.randn(2, 1, 8, 8), task(dims), CPU)
