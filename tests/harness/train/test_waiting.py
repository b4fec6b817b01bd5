"""A step reads nothing back from the device: on one without values, asking for any is an error."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from made_specs import with_model
from tiny_training import CROSS_ENTROPY, NET, discs, made_spec
from torch import Tensor, nn

from harness.contract.protocol import AugmentationSpec
from harness.contract.spec import RunSpec
from harness.data.augment import augment
from harness.measure.compute import Compute
from harness.plugins.records import Task
from harness.train.batches import Resident, epoch_batches
from harness.train.build import make_loss, make_model, make_task
from harness.train.stepper import Stepper

META = Compute(torch.device("meta"), "fp32")
EVERYTHING = {
    **dict.fromkeys(("flip", "scale", "shift", "brightness", "contrast", "gamma", "noise"), 0.1),
    "rotate_deg": 20.0,
    "spatial_probability": 0.5,
    "intensity_probability": 0.5,
}
MODELS = {2: "harness_unet.unet:unet2d", 3: "harness_unet.unet:unet3d"}


@pytest.fixture(autouse=True)
def a_device_unknown_to_autocast_and_fused_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ask a device for its name, and refuse this one's."""
    fused = torch.optim.AdamW

    def unfused(parameters: Any, **options: Any) -> torch.optim.AdamW:
        return fused(parameters, **{**options, "fused": False})

    monkeypatch.setattr(torch.optim, "AdamW", unfused)
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())


def two_steps(spec: RunSpec) -> Tensor:
    """Gather, augment and train on two batches as an epoch does, on a device without values."""
    task = make_task(spec, 1)
    with torch.device("meta"):
        model = META.place(make_model(spec, task), task.dims)
        criterion = make_loss(spec, task).to("meta")
    stepper = Stepper.of(model, criterion, task, spec, META)
    training = on_meta(discs(("0", "1", "2", "3")))
    protocol, generator = spec.protocol, torch.Generator()
    batches = epoch_batches(
        training, task.dims, protocol.batch, task.slices, protocol.depth or 1, torch.Generator()
    )
    total = torch.zeros((), device="meta")
    for _ in range(2):
        images, labels = augment(*next(batches), AugmentationSpec(**EVERYTHING), generator, (8, 8))
        total.add_(stepper(images, labels, 0.01))
    return total


def on_meta(there: Resident) -> Resident:
    """The same cases where a GPU's would lie: images and labels on the device, indices with the host."""
    return Resident(
        there.images.to("meta"), there.labels.to("meta"), there.bounds, there.case_of, META.device
    )


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
@pytest.mark.parametrize("loss", ["cross_entropy", "log_dice", "log_dice_ce"])
@pytest.mark.parametrize("dims", [2, 3])
def test_a_step_of_the_posters_entries_does_not_wait(dims: int, loss: str, optimiser: str) -> None:
    criterion = f"harness_losses.losses:{loss}"
    spec = made_spec(MODELS[dims], criterion, dims=dims, batch=2, optimiser=optimiser, gradient_clip=1.0)
    params = {"base": 8, "slices": 3} if dims == 2 else {"base": 8}
    assert two_steps(with_model(spec, params=params)).device.type == "meta"


class Curious(nn.Module):
    """A loss that wants to know its own value."""

    def __init__(self, task: Task) -> None:
        super().__init__()

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = nn.functional.cross_entropy(logits, labels)
        return loss / max(1.0, loss.item())


def test_a_loss_that_waits_is_noticed_here() -> None:
    with pytest.raises(Exception, match="meta"):
        two_steps(made_spec(NET, f"{__name__}:Curious", batch=2))
    assert two_steps(made_spec(NET, CROSS_ENTROPY, batch=2)).device.type == "meta"
