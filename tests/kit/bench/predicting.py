"""Ways to predict a volume of ACDC's size: the harness, and MONAI's transforms around an fp32 network.

Figures: ``seconds`` from a volume in host memory to its label map on its own grid, in host memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import hearts
import numpy as np
import torch
from torch import Tensor, nn

from bench.work import BRIGHT, Work
from harness.data.case import Volume
from harness.measure.compute import Compute
from harness.predict.predictor import Predictor, largest_components
from harness.train.build import make_model, make_task

Turn = Callable[[dict[str, Any]], None]


class Guided(nn.Module):
    """An untrained network that finds a heart all the same: cleaning up noise would not be typical."""

    def __init__(self, model: nn.Module, crop: tuple[int, int], classes: int) -> None:
        super().__init__()
        self.model = model
        heart = hearts.heart(np.random.default_rng(0), (1, *crop), (10.0, 2.0, 2.0))[0]
        self.register_buffer(
            "prior", 9 * nn.functional.one_hot(_long(heart), classes).permute(2, 0, 1).float()
        )

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.model(x)
        prior: Tensor = self.prior if x.ndim == 4 else self.prior[:, None]  # type: ignore[assignment, index]
        return logits.tanh() + prior


def _long(labels: Any) -> Tensor:
    return torch.from_numpy(labels).long()


def volume() -> Volume:
    """A made-up heart as scanned."""
    labels = hearts.heart(np.random.default_rng(1))
    noise = np.random.default_rng(2).normal(0, 0.3, labels.shape)
    return Volume((BRIGHT[labels] + noise)[None].astype(np.float32), labels, hearts.ACDC_SPACING_MM)


def harness(work: Work, turn: Turn) -> None:
    """As evaluation and `harness predict` do it."""
    compute = Compute.choose("auto", deterministic=False)
    task, model = _made(work)
    predictor = Predictor(compute.place(model, task.dims).eval(), task, work.settings(), compute)
    scanned = volume()
    predictor(scanned)
    while True:
        start = time.perf_counter()
        for _ in range(work.steps):
            predictor(scanned)
        turn(_figures(work, start))


@torch.inference_mode()
def monai(work: Work, turn: Turn) -> None:
    """Spacing, crop and normalisation by MONAI, an fp32 network, and the way back by MONAI."""
    import monai.data
    import monai.transforms as mt

    protocol, scanned = work.settings(), volume()
    device = Compute.choose("fp32", deterministic=False).device
    torch.backends.cudnn.allow_tf32 = True
    task, model = _made(work)
    model = model.to(device).eval()
    dz = scanned.spacing_mm[0]
    crop = protocol.crop
    to_grid = mt.Spacing((dz, protocol.spacing_mm, protocol.spacing_mm), mode="bilinear")
    normalise = mt.NormalizeIntensity()
    affine = torch.diag(torch.tensor([*scanned.spacing_mm, 1.0], dtype=torch.float64))

    def predict() -> Any:
        image = monai.data.MetaTensor(torch.from_numpy(scanned.image).to(device), affine=affine)
        canvas = to_grid(image)
        cropped = normalise(mt.ResizeWithPadOrCrop((-1, *crop))(canvas)).as_tensor()
        if work.dims == 2:
            maps = model(cropped.transpose(0, 1)).softmax(1).transpose(0, 1)
        else:
            maps = model(cropped[None]).softmax(1)[0]
        back = mt.ResizeWithPadOrCrop(canvas.shape[1:])(maps)
        native = mt.Resize(scanned.image.shape[1:], mode="trilinear")(back)
        labels = native.argmax(0).to(torch.uint8).cpu().numpy()
        return largest_components(np.asarray(labels), task.classes)

    predict()
    while True:
        start = time.perf_counter()
        for _ in range(work.steps):
            predict()
        turn(_figures(work, start))


def _made(work: Work) -> tuple[Any, nn.Module]:
    spec = work.spec()
    task = make_task(spec, 1)
    return task, Guided(make_model(spec, task), spec.protocol.crop, task.classes)


def _figures(work: Work, start: float) -> dict[str, Any]:
    return {"seconds": time.perf_counter() - start, "steps": work.steps}


WAYS = {"harness": harness, "monai": monai}
