"""Mirrored prediction: the mean over four views, and nothing else changed."""

from typing import Any

import pytest
import torch

from harness.errors import PluginError
from harness.plugins.records import Task
from harness_unet.mirror import Mirrored
from harness_unet.unet import unet2d, unet3d

MAKERS: dict[int, Any] = {2: unet2d, 3: unet3d}


def task(dims: int) -> Task:
    return Task(dims, 1, 4, (1.0,) * 4, ("RV", "MYO", "LV"), 1)


@pytest.mark.parametrize("dims", [2, 3])
def test_it_is_the_mean_over_mirror_images(dims: int) -> None:
    torch.manual_seed(0)
    net = MAKERS[dims](task(dims), base=4, depth=2, mirror=True).eval()
    assert isinstance(net, Mirrored)
    image = torch.randn(2, 1, *([5] if dims == 3 else []), 15, 18)
    with torch.no_grad():
        seen = net(image).softmax(1)
        for axes in ((-1,), (-2,), (-2, -1)):
            assert torch.allclose(net(image.flip(axes)).softmax(1).flip(axes), seen, atol=1e-5)
        views = [
            net.net(image),
            net.net(image.flip(-1)).flip(-1),
            net.net(image.flip(-2)).flip(-2),
            net.net(image.flip(-2, -1)).flip(-2, -1),
        ]
    assert torch.allclose(torch.stack([one.softmax(1) for one in views]).mean(0), seen, atol=1e-6)


def test_it_trains_as_the_net_itself() -> None:
    torch.manual_seed(0)
    plain = unet2d(task(2), base=4, depth=2)
    torch.manual_seed(0)
    mirrored = unet2d(task(2), base=4, depth=2, mirror=True)
    image = torch.randn(2, 1, 16, 16)
    assert torch.equal(plain(image), mirrored(image))
    assert mirrored.training


def test_the_surest_prediction_stays_finite_in_half_precision() -> None:
    class Sure(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([torch.full_like(x, 1e4), torch.full_like(x, -1e4)], dim=1)

    logits = Mirrored(Sure()).eval()(torch.zeros(1, 1, 4, 4, dtype=torch.bfloat16))
    assert logits.isfinite().all()
    assert (logits.argmax(1) == 0).all()


def test_a_number_is_no_yes() -> None:
    with pytest.raises(PluginError, match="mirror = 1"):
        unet2d(task(2), mirror=1)  # type: ignore[arg-type]
