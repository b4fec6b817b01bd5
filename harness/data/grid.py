"""From a volume's native grid to the network's grid, and back.

Only in-plane: slices are resampled to the protocol's spacing (the canvas), then cropped or
padded about the image centre. The way back pastes the prediction into the canvas and resamples it
to the native size, so that it is scored on the grid of the unmodified reference.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import interpolate


@dataclass(frozen=True)
class ResamplingGrid:
    """Sizes ``(y, x)`` in pixels: native, resampled (canvas) and cropped or padded (crop)."""

    native: tuple[int, int]
    canvas: tuple[int, int]
    crop: tuple[int, int]

    @classmethod
    def of(
        cls, native: tuple[int, int], native_mm: tuple[float, float], spacing_mm: float, crop: tuple[int, int]
    ) -> ResamplingGrid:
        """The grid for slices of `native` pixels with a spacing of `native_mm`, both ``(y, x)``."""
        canvas = tuple(max(1, round(n * mm / spacing_mm)) for n, mm in zip(native, native_mm, strict=True))
        return cls(native, (canvas[0], canvas[1]), crop)

    def _windows(self) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """The overlap of canvas and crop, as index slices into the canvas and into the crop."""
        inside, target = [], []
        for size, crop in zip(self.canvas, self.crop, strict=True):
            low = max(0, (size - crop) // 2)
            extent = min(size, crop)
            start = max(0, (crop - size) // 2)
            inside.append(slice(low, low + extent))
            target.append(slice(start, start + extent))
        return (inside[0], inside[1]), (target[0], target[1])

    def image(self, image: Tensor) -> Tensor:
        """Resample and crop ``(N, C, y, x)`` to ``(N, C, H, W)``, padded with each channel's lowest value."""
        canvas = _resample(image, self.canvas)
        (cy, cx), (ty, tx) = self._windows()
        inside = canvas[..., cy, cx]
        lowest = inside.amin((0, 2, 3))[None, :, None, None]
        cropped = lowest.expand(*image.shape[:2], *self.crop).clone()
        cropped[..., ty, tx] = inside
        return cropped

    def labels(self, labels: Tensor, classes: int) -> Tensor:
        """Resample and crop class indices ``(N, y, x)`` to uint8 ``(N, H, W)``, padded with background.

        Each class is resampled as a membership map and the largest value wins, which preserves thin
        walls better than nearest-neighbour interpolation.
        """
        membership = torch.stack([(labels == k).float() for k in range(classes)], dim=1)
        canvas = _resample(membership, self.canvas).argmax(1)
        (cy, cx), (ty, tx) = self._windows()
        cropped = torch.zeros((labels.shape[0], *self.crop), dtype=torch.uint8, device=labels.device)
        cropped[:, ty, tx] = canvas[:, cy, cx].to(torch.uint8)
        return cropped

    def native_labels(self, probabilities: Tensor) -> Tensor:
        """The most probable class on the native grid, uint8 ``(N, y, x)``, from ``(N, K, H, W)``."""
        (cy, cx), (ty, tx) = self._windows()
        canvas = probabilities.new_zeros((*probabilities.shape[:2], *self.canvas))
        canvas[:, 0] = 1
        canvas[..., cy, cx] = probabilities[..., ty, tx]
        return _resample(canvas, self.native).argmax(1).to(torch.uint8)


def _resample(values: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(values.shape[-2:]) == size:
        return values
    # Without antialias, downsampling would skip pixels.
    return interpolate(values, size=size, mode="bilinear", align_corners=False, antialias=True)


def normalise(image: Tensor, how: str) -> Tensor:
    """Normalise a volume ``(N, C, H, W)``, each channel by its own statistics.

    ``z-score``: mean 0 and standard deviation 1; ``percentile``: clipped to the 0.5th and
    99.5th percentile first. A constant channel becomes 0.
    """
    values = image.transpose(0, 1).flatten(1)
    if how == "percentile":
        # kthvalue, because quantile refuses more than 16 million values.
        count = values.shape[1]
        low, high = (values.kthvalue(max(1, round(q * count)), dim=1).values for q in (0.005, 0.995))
        image = image.clamp(low[None, :, None, None], high[None, :, None, None])
        values = image.transpose(0, 1).flatten(1)
    mean = values.mean(1)[None, :, None, None]
    sd = values.std(1, correction=0)[None, :, None, None]
    return (image - mean) / sd.clamp_min(1e-6)
