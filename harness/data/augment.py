"""Augmentation of whole batches on the device, with the same code for slices and volumes.

In 3D, all slices of a volume share one in-plane transform; z never changes. All randomness
comes from the generator passed in, and nothing waits for the device.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor
from torch.nn.functional import grid_sample

from harness.contract.protocol import AugmentationSpec


def augment(
    images: Tensor,
    labels: Tensor,
    settings: AugmentationSpec,
    generator: Generator,
    patch: tuple[int, int] | None = None,
) -> tuple[Tensor, Tensor]:
    """Augment images ``(B, C, [D,] H, W)`` float and labels ``(B, [D,] H, W)``, not in place.

    With `patch`, ``(y, x)`` in pixels, a patch of that size is returned of each sample, at a random place.
    `generator` is on the device of `images`. Images are continued by their edge, labels by background.
    If all settings are 0, nothing changes.
    """
    whole = (images.shape[-2], images.shape[-1])
    size = whole if patch is None else patch
    moves = settings.spatial_probability and _any(settings, "rotate_deg", "scale", "shift")
    if settings.flip or moves or size != whole:
        images, labels = _move(images, labels, settings, generator, size)
    if settings.intensity_probability and _any(settings, "brightness", "contrast", "gamma", "noise"):
        images = _tint(images, settings, generator)
    return images, labels


def _any(settings: AugmentationSpec, *names: str) -> bool:
    return any(getattr(settings, name) for name in names)


def _move(
    images: Tensor,
    labels: Tensor,
    settings: AugmentationSpec,
    generator: Generator,
    size: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    height, width = images.shape[-2:]
    theta = _transforms(len(images), *size, settings, generator, images.device)
    room = (height - size[0], width - size[1])
    if any(room):
        theta[..., 2] += _places(len(images), room, generator, images.device)
    grid = _grid(theta, (height, width), size)
    # The slices of a volume become channels, so that one 2D transform applies to all of them.
    flat = images.reshape(len(images), -1, height, width).float()
    moved = grid_sample(flat, grid, mode="bilinear", padding_mode="border", align_corners=False)
    marks = labels.reshape(len(labels), -1, height, width).float()
    marked = grid_sample(marks, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    moved, marked = moved.reshape(*images.shape[:-2], *size), marked.reshape(*labels.shape[:-2], *size)
    return moved.to(images.dtype), marked.to(labels.dtype)


def _transforms(
    batch: int,
    height: int,
    width: int,
    settings: AugmentationSpec,
    generator: Generator,
    device: torch.device,
) -> Tensor:
    """``(B, 2, 3)``: from output to input pixels, relative to the centre, in (x, y) order."""

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(batch, generator=generator, device=device)

    chosen = (uniform(0, 1) < settings.spatial_probability).float()
    angle = uniform(-1, 1) * math.radians(settings.rotate_deg) * chosen
    zoom = 1 + uniform(-1, 1) * settings.scale * chosen
    right = uniform(-1, 1) * settings.shift * width * chosen
    down = uniform(-1, 1) * settings.shift * height * chosen
    mirror_x, mirror_y = (1 - 2 * (uniform(0, 1) < settings.flip).float() for _ in range(2))
    cos, sin = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    rows = [
        torch.stack([cos * mirror_x, sin * mirror_y, right], dim=1),
        torch.stack([-sin * mirror_x, cos * mirror_y, down], dim=1),
    ]
    return torch.stack(rows, dim=1)


def _places(batch: int, room: tuple[int, int], generator: Generator, device: torch.device) -> Tensor:
    """``(B, 2)``, (x, y): random offsets of patches from the centre; `room` ``(y, x)``: image minus patch."""
    drawn = torch.rand(2, batch, generator=generator, device=device) - 0.5
    return torch.stack([drawn[0] * room[1], drawn[1] * room[0]], dim=1)


def _grid(theta: Tensor, image: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Sampling positions ``(B, *size, 2)`` as `grid_sample` wants them: -1 to 1 over the image."""
    height, width = image
    x = torch.arange(size[1], device=theta.device) - (size[1] - 1) / 2
    y = torch.arange(size[0], device=theta.device) - (size[0] - 1) / 2
    y, x = torch.meshgrid(y, x, indexing="ij")
    ones = torch.ones_like(x)
    # Plain numbers: making a tensor of them here would let the host wait for the device.
    scaled = torch.stack([theta[:, 0] * (2 / width), theta[:, 1] * (2 / height)], dim=1)
    return torch.einsum("bij,jhw->bhwi", scaled, torch.stack([x, y, ones]))


def _tint(images: Tensor, settings: AugmentationSpec, generator: Generator) -> Tensor:
    """Gamma, contrast and brightness per sample, about its own mean; noise per pixel."""
    shape = (len(images), *[1] * (images.ndim - 1))

    def uniform(low: float, high: float) -> Tensor:
        drawn = torch.rand(shape, generator=generator, device=images.device)
        return low + (high - low) * drawn

    values = images.float()
    chosen = (uniform(0, 1) < settings.intensity_probability).float()
    axes = tuple(range(1, images.ndim))
    if settings.gamma:
        low, high = values.amin(axes, keepdim=True), values.amax(axes, keepdim=True)
        extent = (high - low).clamp_min(1e-6)
        exponent = 1 + uniform(-1, 1) * settings.gamma * chosen
        values = ((values - low) / extent).clamp_min(1e-6) ** exponent * extent + low
    factor = 1 + uniform(-1, 1) * settings.contrast * chosen
    offset = uniform(-1, 1) * settings.brightness * chosen
    mean = values.mean(axes, keepdim=True)
    values = (values - mean) * factor + mean + offset
    if settings.noise:
        sd = uniform(0, 1) * settings.noise * chosen
        values = values + sd * torch.randn(values.shape, generator=generator, device=values.device)
    return values.to(images.dtype)
