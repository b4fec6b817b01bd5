"""The poster's networks: size, shapes they take, and what a user may set."""

from typing import Any

import pytest
import torch
from torch import nn

from harness.errors import PluginError
from harness.measure.cost import flops, parameters
from harness.plugins.records import Task
from harness_unet.unet import halved, unet2d, unet3d


def task(dims: int, channels: int = 1, slices: int = 1, classes: int = 4) -> Task:
    return Task(
        dims, channels * slices, classes, (1.0,) * classes, ("RV", "MYO", "LV")[: classes - 1], slices
    )


def closed_form(dims: int, base: int, depth: int, channels: int, classes: int) -> int:
    """Parameters counted by hand: 3^d convolutions without bias, batch norm's two, 2x2 transposed ones."""
    kernel = 3**dims
    maps = [base * 2**level for level in range(depth + 1)]

    def block(before: int, after: int) -> int:
        return kernel * (before * after + after * after) + 2 * 2 * after

    down = sum(block(a, b) for a, b in zip([channels, *maps], maps, strict=False))
    up = sum(4 * 2 * m * m + m + block(2 * m, m) for m in maps[:-1])
    return down + up + maps[0] * classes + classes


def test_full_size_is_the_posters() -> None:
    """512 and 256 maps in the base layer; 7.76 and 5.47 million parameters."""
    assert parameters(unet2d(task(2))) == closed_form(2, 32, 4, 1, 4) == 7_762_564
    assert parameters(unet3d(task(3))) == closed_form(3, 16, 4, 1, 4) == 5_472_356
    for net, widest in ((unet2d(task(2)), 512), (unet3d(task(3)), 256)):
        maps = [m.out_channels for m in net.modules() if isinstance(m, nn.Conv2d | nn.Conv3d)]
        assert max(maps) == widest


@pytest.mark.parametrize(("base", "depth"), [(2, 1), (3, 2), (4, 3)])
def test_base_and_depth_are_parameters(base: int, depth: int) -> None:
    assert parameters(unet2d(task(2), base, depth)) == closed_form(2, base, depth, 1, 4)


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (1, 1), (5, 40), (33, 16)])
@pytest.mark.parametrize("batch", [1, 3])
def test_2d_gives_logits_of_the_same_size_for_any_size(size: tuple[int, int], batch: int) -> None:
    net = unet2d(task(2), base=2).eval()
    assert net(torch.randn(batch, 1, *size)).shape == (batch, 4, *size)


@pytest.mark.parametrize("slices", [1, 2, 7])
@pytest.mark.parametrize("size", [(16, 16), (19, 10)])
def test_3d_takes_any_number_of_slices(slices: int, size: tuple[int, int]) -> None:
    net = unet3d(task(3), base=2).eval()
    assert net(torch.randn(1, 1, slices, *size)).shape == (1, 4, slices, *size)


def test_3d_pools_in_the_plane_and_never_along_z() -> None:
    x = torch.randn(2, 3, 5, 8, 6)
    assert torch.equal(halved(x), torch.nn.MaxPool3d((1, 2, 2))(x))
    assert torch.equal(halved(x[:, :, 0]), torch.nn.MaxPool2d(2)(x[:, :, 0]))
    net: Any = unet3d(task(3), 4)
    assert all(up.stride == (1, 2, 2) for up in net.up)


def test_context_slices_are_input_channels() -> None:
    net = unet2d(task(2, channels=2, slices=3), base=2, slices=3).eval()
    assert net(torch.randn(1, 6, 16, 16)).shape == (1, 4, 16, 16)


@pytest.mark.parametrize("make", [lambda: unet2d(task(2), 2).eval(), lambda: unet3d(task(3), 2).eval()])
def test_batch_mates_and_padding_do_not_change_a_prediction(make) -> None:
    net = make()
    shape = (16, 24) if isinstance(net.head, torch.nn.Conv2d) else (3, 16, 24)
    x = torch.randn(3, 1, *shape)
    with torch.no_grad():
        torch.testing.assert_close(net(x)[:1], net(x[:1]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("make", [lambda: unet2d(task(2), 4), lambda: unet3d(task(3), 4)])
def test_gradients_reach_every_parameter_also_in_bf16(make) -> None:
    net = make()
    shape = (2, 1, 16, 16) if isinstance(net.head, torch.nn.Conv2d) else (2, 1, 3, 16, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = net(torch.randn(shape)).float().square().mean()
    loss.backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in net.parameters())


@pytest.mark.parametrize("params", [{"base": 0}, {"depth": 0}, {"base": 2.5}, {"depth": True}, {"slices": 3}])
def test_wrong_parameters_are_one_line(params: dict[str, object]) -> None:
    with pytest.raises(PluginError, match="unet2d"):
        unet2d(task(2), **params)  # type: ignore[arg-type]


def test_flops_of_the_full_nets() -> None:
    """24 GFLOP for a 256² slice, 175 for 256²×10, a multiply-add counted as two."""
    assert flops(unet2d(task(2)), (1, 1, 256, 256)) == pytest.approx(24e9, rel=0.01)
    assert flops(unet3d(task(3)), (1, 1, 10, 256, 256)) == pytest.approx(175e9, rel=0.01)
