"""The protocol's augmentation in the words of other libraries, sample by sample as they do it."""

from __future__ import annotations

import math
import os
from typing import Any

import torch
from torch import Tensor

from bench.work import Work

WORKERS = int(os.environ.get("BENCH_WORKERS", "2"))
"""Processes of the plain way's DataLoader."""


class Samples(torch.utils.data.Dataset[Any]):
    """Each slice or volume once, changed by `change`; images ``(1, [D,] H, W)``."""

    def __init__(self, items: list[Any], change: Any) -> None:
        self.items, self.change = items, change

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.change(*self.items[index])  # type: ignore[no-any-return]


def collate(samples: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """A batch: images ``(B, 1, …)``, labels ``(B, …)``."""
    images, labels = zip(*samples, strict=True)
    return torch.stack(images), torch.stack(labels)


def items(work: Work) -> list[tuple[Tensor, Tensor]]:
    """Images and labels ``(1, [D,] H, W)`` of every sample of an epoch."""
    prepared = work.prepared()
    images, labels = torch.from_numpy(prepared.images), torch.from_numpy(prepared.labels)[:, None]
    if work.dims == 2:
        return [(image.contiguous(), label) for image, label in zip(images, labels, strict=True)]
    spans = [slice(a, a + n) for a, n in zip(prepared.starts, prepared.depths, strict=True)]
    return [(images[span].transpose(0, 1), labels[span].transpose(0, 1)) for span in spans]


def monai_samples(work: Work) -> Samples:
    """MONAI's dictionary transforms with the protocol's ranges."""
    import monai.data
    import monai.transforms as mt

    monai.data.set_track_meta(False)  # which makes them faster
    a = work.settings().augmentation
    both, image = ["image", "label"], ["image"]
    turned = math.radians(a.rotate_deg)
    crop = work.settings().crop
    pixels = [a.shift * side for side in crop]
    three = work.dims == 3
    first_in_plane = 1 if three else 0
    chain: list[Any] = []
    if a.flip:
        chain += [mt.RandFlipd(both, prob=a.flip, spatial_axis=first_in_plane + axis) for axis in range(2)]
    if a.rotate_deg or a.scale or a.shift:
        chain.append(
            mt.RandAffined(
                both,
                prob=a.spatial_probability,
                rotate_range=(turned, 0.0, 0.0) if three else turned,
                translate_range=(0.0, *pixels) if three else pixels,
                scale_range=(0.0, a.scale, a.scale) if three else (a.scale, a.scale),
                mode=("bilinear", "nearest"),
                padding_mode=("border", "zeros"),
            )
        )
    p = a.intensity_probability
    if a.gamma:
        chain.append(mt.RandAdjustContrastd(image, prob=p, gamma=(1 - a.gamma, 1 + a.gamma)))
    if a.contrast:
        chain.append(mt.RandScaleIntensityFixedMeand(image, prob=p, factors=a.contrast))
    if a.brightness:
        chain.append(mt.RandShiftIntensityd(image, prob=p, offsets=a.brightness))
    if a.noise:
        chain.append(mt.RandGaussianNoised(image, prob=p, std=a.noise))
    compose = mt.Compose(chain)

    def change(image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        changed = compose({"image": image, "label": label})
        return changed["image"], changed["label"][0]

    return Samples(items(work), change)


def torchio_samples(work: Work) -> Samples:
    """TorchIO's transforms with the protocol's ranges; a slice is a volume of one slice to it."""
    import torchio as tio

    a = work.settings().augmentation
    three = work.dims == 3
    down, right = (a.shift * side for side in work.settings().crop)
    chain: list[Any] = []
    if a.flip:
        chain.append(tio.RandomFlip(axes=(1, 2), flip_probability=a.flip))
    chain += [
        tio.RandomAffine(
            scales=(1, 1, 1 - a.scale, 1 + a.scale, 1 - a.scale, 1 + a.scale),
            degrees=(-a.rotate_deg, a.rotate_deg, 0, 0, 0, 0),
            translation=(0, 0, -down, down, -right, right),
            default_pad_value="minimum",
            p=a.spatial_probability,
        ),
        tio.RandomGamma(log_gamma=math.log1p(a.gamma), p=a.intensity_probability),
        tio.RandomNoise(std=(0, a.noise), p=a.intensity_probability),
    ]
    compose = tio.Compose(chain)

    def change(image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        subject = tio.Subject(
            image=tio.ScalarImage(tensor=image if three else image[:, None]),
            label=tio.LabelMap(tensor=label if three else label[:, None]),
        )
        changed = compose(subject)
        x, y = changed["image"].data, changed["label"].data[0]
        return (x, y) if three else (x[:, 0], y[0])

    return Samples(items(work), change)
