"""MONAI's networks behind the harness's contract: any size, any number of slices, MONAI's own numbers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from monai.networks import nets
from monai.networks.nets.swin_unetr import PatchMerging
from torch import Tensor, nn
from torch.nn.functional import interpolate

from harness.errors import PluginError
from harness.measure.compute import Compute
from harness.measure.cost import flops, parameters
from harness.plugins.records import Model, Task
from harness.plugins.resolve import resolve
from harness.train.supervise import check_outputs, outputs_of
from harness_monai import harness_models
from harness_monai.swinunetr import InPlaneMerging

NARROW: dict[str, dict[str, Any]] = {
    "unet": {"base": 4, "depth": 3},
    "basicunet": {"base": 4},
    "dynunet": {"base": 4, "depth": 4},
    "segresnet": {"base": 8, "blocks_down": [1, 1, 1, 1]},
    "swinunetr": {"base": 12, "blocks": [1, 2, 1, 1], "heads": [1, 2, 2, 2], "window": 3},
    "attentionunet": {"base": 4, "depth": 3},
    "unetplusplus": {"base": 4},
}
RECORDS = {record.name: record for record in harness_models()}
BY_NAME = pytest.mark.parametrize("name", sorted(RECORDS))


def task(dims: int, channels: int = 1, slices: int = 1) -> Task:
    return Task(dims, channels * slices, 4, (0.3, 1.0, 1.0, 1.0), ("RV", "MYO", "LV"), slices)


def kind(record: Model) -> str:
    return record.target.partition(":")[2]


def make(name: str, slices: int = 1, channels: int = 1, **params: Any) -> nn.Module:
    """The plugin as the harness makes it: defaults filled in, narrow, from a seed."""
    record = RECORDS[name]
    target: Any = resolve(record.target)
    given = {**record.defaults, **NARROW[kind(record)], **params}
    if slices > 1:
        given["slices"] = slices
    torch.manual_seed(0)
    made: nn.Module = target(task(record.dims, channels, slices), **given)
    return made


def shape(name: str, size: tuple[int, int], slices: int = 3, batch: int = 2) -> tuple[int, ...]:
    return (batch, 1, *size) if RECORDS[name].dims == 2 else (batch, 1, slices, *size)


@BY_NAME
@pytest.mark.parametrize("size", [(32, 32), (17, 23), (1, 1), (5, 40)])
def test_any_size_and_any_number_of_slices(name: str, size: tuple[int, int]) -> None:
    net = make(name)
    for slices in (1, 3) if RECORDS[name].dims == 3 else (1,):
        x = Compute.channels_last(torch.randn(shape(name, size, slices)))
        check_outputs(outputs_of(net.train()(x)), x, task(RECORDS[name].dims))
        with torch.no_grad():
            assert net.eval()(x).shape == (2, 4, *x.shape[2:])


@pytest.mark.parametrize("slices", [2, 7, 10])
def test_slices_are_pooled_once_and_any_number_of_them_goes_through(slices: int) -> None:
    for name, record in RECORDS.items():
        if record.dims == 3:
            net: Any = make(name).eval()
            assert net.multiple[0] == 2, name
            with torch.no_grad():
                assert net(torch.randn(1, 1, slices, 16, 16)).shape == (1, 4, slices, 16, 16)


def direct(name: str) -> Callable[[], nn.Module]:
    """MONAI's network called as MONAI's documentation has it, with the parameters of `NARROW`."""
    dims = RECORDS[name].dims
    sizes = {"spatial_dims": dims, "in_channels": 1, "out_channels": 4}
    halve, once = [2] * dims, [1] * dims
    six = (4, 4, 8, 16, 32, 4)
    if dims == 3 and kind(RECORDS[name]) in ("unet", "attentionunet", "dynunet"):
        flat, both = [1, 2, 2], [2, 2, 2]
        strides, kernels = [flat, flat, both, flat], [[1, 3, 3]] * 2 + [[3, 3, 3]] * 3
    else:
        strides, kernels = [halve] * 4, [[3] * dims] * 5
    return {
        "unet": lambda: nets.UNet(
            **sizes, channels=(4, 8, 16, 32), strides=strides[:3], num_res_units=2, norm="instance"
        ),
        "attentionunet": lambda: nets.AttentionUnet(**sizes, channels=(4, 8, 16, 32), strides=strides[:3]),
        "basicunet": lambda: nets.BasicUNet(**sizes, features=six),
        "unetplusplus": lambda: nets.BasicUNetPlusPlus(**sizes, features=six, deep_supervision=True),
        "segresnet": lambda: nets.SegResNet(**sizes, init_filters=8, blocks_down=(1, 1, 1, 1)),
        "swinunetr": lambda: nets.SwinUNETR(
            **sizes, feature_size=12, depths=(1, 2, 1, 1), num_heads=(1, 2, 2, 2), window_size=3
        ),
        "dynunet": lambda: nets.DynUNet(
            **sizes,
            kernel_size=kernels,
            strides=[once, *strides],
            upsample_kernel_size=strides,
            filters=[4, 8, 16, 32, 64],
            deep_supervision=True,
            deep_supr_num=2,
        ),
    }[kind(RECORDS[name])]


ISOTROPIC = {"basicunet": 4, "unetplusplus": 4, "segresnet": 3, "swinunetr": 5}
"""Halvings of those that MONAI lets halve all axes alike and nothing else."""


@BY_NAME
def test_logits_are_those_of_monai_where_nothing_is_padded(name: str) -> None:
    """An entry named after MONAI's network must be that network."""
    halvings = ISOTROPIC.get(kind(RECORDS[name])) if RECORDS[name].dims == 3 else None
    mine = make(name, **({"flat": 0, "pool_z": halvings} if halvings else {}))
    torch.manual_seed(0)
    theirs = direct(name)()
    assert parameters(mine) == parameters(theirs)
    x = torch.randn((2, 1, 32, 64) if RECORDS[name].dims == 2 else (1, 1, 32 if halvings else 4, 32, 64))
    with torch.no_grad():
        expected = theirs.eval()(x)
        expected = expected[-1] if isinstance(expected, list) else expected
        torch.testing.assert_close(mine.eval()(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dims", [2, 3])
def test_dynunets_heads_are_monais_before_it_blows_them_up(dims: int) -> None:
    name = f"monai-dynunet{dims}d"
    mine = make(name)
    torch.manual_seed(0)
    theirs = direct(name)()
    x = torch.randn(shape(name, (32, 32), slices=4))
    with torch.no_grad():
        outputs, stacked = mine.train()(x), theirs.train()(x)
    assert [tuple(each.shape[-2:]) for each in outputs] == [(32, 32), (16, 16), (8, 8)]
    # The third level of the 3D net lies below the halving of z.
    assert [each.shape[2] for each in outputs] == ([4, 4, 4] if dims == 3 else [32, 16, 8])
    for output, expected in zip(outputs, stacked.unbind(1), strict=True):
        torch.testing.assert_close(interpolate(output, x.shape[2:]), expected, rtol=1e-4, atol=1e-5)


def test_unetplusplus_gives_the_deepest_output_first() -> None:
    mine = make("monai-unetplusplus2d")
    torch.manual_seed(0)
    theirs = direct("monai-unetplusplus2d")()
    x = torch.randn(2, 1, 32, 32)
    with torch.no_grad():
        for mine_out, their_out in zip(mine.train()(x), reversed(theirs.train()(x)), strict=True):
            torch.testing.assert_close(mine_out, their_out)


def test_merging_within_slices_is_monais_2d_merging_of_each() -> None:
    torch.manual_seed(0)
    mine, theirs = InPlaneMerging(6), PatchMerging(6, spatial_dims=2)
    theirs.load_state_dict(mine.state_dict())
    x = torch.randn(2, 5, 8, 4, 6)
    with torch.no_grad():
        torch.testing.assert_close(mine(x), torch.stack([theirs(s) for s in x.unbind(1)], dim=1))


def nnunet_plan(pixel: float, distance: float, sizes: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """z kernel and z stride of each halving by nnU-Net's rule, written out; `sizes` are (slices, pixels)."""
    slices, pixels = sizes
    while pixels >= 8:
        reaches = distance <= 2 * pixel
        stride = 2 if reaches and slices >= 8 else 1
        yield (3 if reaches else 1), stride
        pixel, pixels = 2 * pixel, pixels // 2
        distance, slices = distance * stride, slices // stride


@pytest.mark.parametrize(("pixel", "distance"), [(1.5, 10.0), (1.5, 8.0), (2.0, 10.0)])
def test_defaults_in_3d_are_what_nnunet_plans_for_short_axis_stacks(pixel: float, distance: float) -> None:
    """ACDC at the standard protocol: 128 pixels of 1.5 mm, ten slices mostly 10 mm apart."""
    plan = list(nnunet_plan(pixel, distance, (10, 128)))
    net = RECORDS["monai-dynunet3d"].defaults
    first = next(i for i, (kernel, _) in enumerate(plan) if kernel == 3)
    assert (len(plan), first) == (net["depth"], net["flat"])
    assert [stride for _, stride in plan[first:]] == [2] * net["pool_z"] + [1] * (5 - first - net["pool_z"])


def test_dynunets_kernels_stay_within_slices_while_voxels_are_flat() -> None:
    net = make("monai-dynunet3d")
    first = [m.kernel_size for m in net.net.down[1].modules() if isinstance(m, nn.Conv3d)]  # type: ignore[union-attr,index]
    third = [m.kernel_size for m in net.net.down[2].modules() if isinstance(m, nn.Conv3d)]  # type: ignore[union-attr,index]
    assert set(first) == {(1, 3, 3)}
    assert set(third) == {(3, 3, 3)}


@BY_NAME
def test_gradients_reach_every_parameter_also_in_bf16(name: str) -> None:
    compute = Compute(torch.device("cpu"), "bf16")
    x = torch.randn(shape(name, (64, 64), slices=4))
    net = compute.place(make(name).train(), x.ndim - 2)
    with compute.autocast():
        outputs = outputs_of(net(Compute.channels_last(x)))
    loss: Tensor = sum((each.float().square().mean() for each in outputs), torch.zeros(()))
    loss.backward()
    missing = [n for n, p in net.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all()]
    assert missing == []


@BY_NAME
def test_batch_mates_do_not_change_a_prediction(name: str) -> None:
    net, x = make(name).eval(), torch.randn(shape(name, (20, 32), batch=3))
    with torch.no_grad():
        torch.testing.assert_close(net(x)[:1], net(x[:1]), atol=1e-4, rtol=1e-4)


@BY_NAME
def test_what_a_run_does_with_a_network_works(name: str) -> None:
    """Copied after a step, loaded into a fresh one, counted without memory."""
    net, x = make(name), torch.randn(shape(name, (32, 32)))
    outputs_of(net.train()(x))[0].mean().backward()
    twin = copy.deepcopy(net).eval()
    fresh = make(name)
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.zero_()
    fresh.load_state_dict(net.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(fresh.eval()(x), twin(x))
    assert (flops(net, shape(name, (32, 32))) or 0) > 1e6


@pytest.mark.parametrize("name", sorted(name for name in RECORDS if name.endswith("2d")))
def test_context_slices_are_input_channels(name: str) -> None:
    net = make(name, slices=3, channels=2).eval()
    with torch.no_grad():
        assert net(torch.randn(1, 6, 32, 32)).shape == (1, 4, 32, 32)
    with pytest.raises(PluginError, match="slices = 3, but the task has 1"):
        resolve(RECORDS[name].target)(task(2), slices=3)  # type: ignore[operator]


@pytest.mark.parametrize("name", ["dynunet", "unetplusplus"])
def test_without_deep_supervision_there_is_one_output_and_no_idle_parameter(name: str) -> None:
    net = make(f"monai-{name}2d", deep_supervision=False).train()
    given = net(torch.randn(2, 1, 32, 32))
    assert isinstance(given, Tensor)
    given.mean().backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_prediction_does_not_pay_for_the_heads_of_training() -> None:
    """MONAI's own forward pass computes them then too."""
    x = (1, 1, 32, 32)
    assert flops(make("monai-dynunet2d"), x) == flops(make("monai-dynunet2d", deep_supervision=False), x)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("monai-unet2d", {"base": 0}),
        ("monai-unet2d", {"depth": 2.5}),
        ("monai-unet2d", {"residual": -1}),
        ("monai-unet3d", {"flat": 3, "pool_z": 1}),
        ("monai-unet3d", {"pool_z": True}),
        ("monai-attentionunet2d", {"base": 1}),
        ("monai-dynunet2d", {"depth": 1}),
        ("monai-segresnet2d", {"base": 12}),
        ("monai-segresnet3d", {"blocks_up": [1]}),
        ("monai-swinunetr2d", {"base": 20}),
        ("monai-swinunetr2d", {"heads": [1, 1, 1]}),
        ("monai-swinunetr3d", {"heads": [5, 2, 2, 2]}),
        ("monai-unetplusplus2d", {"base": "wide"}),
    ],
)
def test_wrong_parameters_are_one_line(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(PluginError, match=r"2d|3d|3D|2D"):
        make(name, **params)
