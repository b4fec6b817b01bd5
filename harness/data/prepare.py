"""Training data, prepared once under a content key and shared by all runs as memory-mapped arrays."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from harness.contract.protocol import RunProtocol
from harness.data.case import Case, Volume
from harness.data.grid import ResamplingGrid, normalise
from harness.errors import DataError, HarnessError
from harness.plugins.blame import calling, describe
from harness.store.atomic import read_json, storage_errors, write_json
from harness.store.lease import Lease


@dataclass(frozen=True)
class Prepared:
    """All cases on the network's grid, slice after slice.

    `images` float32 ``(S, C, H, W)``, `labels` uint8 class indices ``(S, H, W)``; case `i` of
    `ids` is the slices ``starts[i]`` to ``starts[i] + depths[i]``.
    """

    ids: tuple[str, ...]
    starts: tuple[int, ...]
    depths: tuple[int, ...]
    images: NDArray[np.float32]
    labels: NDArray[np.uint8]


def class_map(structures: dict[str, int]) -> NDArray[np.uint8]:
    """Lookup from label value to class index: background 0, then structures in their order."""
    table = np.zeros(256, np.uint8)
    for index, value in enumerate(structures.values(), 1):
        table[value] = index
    return table


def network_image(
    volume: Volume, protocol: RunProtocol, device: torch.device
) -> tuple[torch.Tensor, ResamplingGrid]:
    """The image of `volume` as a network sees it, ``(z, C, H, W)`` on `device`, and the way back."""
    _, dy, dx = volume.spacing_mm
    y, x = volume.image.shape[2:]
    height, width = protocol.crop
    grid = ResamplingGrid.of((y, x), (dy, dx), protocol.spacing_mm, (height, width))
    # A plugin's array may be flipped, or come in the type of its file.
    image = np.ascontiguousarray(volume.image, np.float32)
    slices = torch.from_numpy(image).to(device).transpose(0, 1)
    return normalise(grid.image(slices), protocol.normalisation), grid


def prepare(
    cases: Sequence[Case],
    structures: dict[str, int],
    protocol: RunProtocol,
    folder: Path,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Prepared:
    """Load what is prepared in `folder`, or make it; several processes may ask at once.

    The folder appears under its name only when it is whole, so a kill leaves nothing half-made.
    """
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        with Lease(folder.parent, f"{folder.name}-lease").waited():
            if not folder.exists():
                for left in folder.parent.glob(f"{folder.name}.*.tmp"):
                    # Of a process that was killed: whoever is at work holds the lease.
                    shutil.rmtree(left, ignore_errors=True)
                _make(cases, structures, protocol, folder, advance)
    return load(folder)


def load(folder: Path) -> Prepared:
    """Map the arrays in `folder` into memory."""
    try:
        index = read_json(folder / "index.json")
        ids, starts, depths = (tuple(index[name]) for name in ("ids", "starts", "depths"))
        images, labels = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "labels"))
        if not len(images) == len(labels) == sum(depths):
            raise ValueError(f"{len(images)} images, {len(labels)} label maps for {sum(depths)} slices")
    except (HarnessError, EOFError, KeyError, OSError, TypeError, ValueError) as error:
        # Part of the folder would not be made again: it is believed as a whole, or not at all.
        raise DataError(
            f"prepared data is damaged: {describe(error)}",
            where=folder,
            remedy="Delete this folder and run again.",
        ) from error
    return Prepared(ids, starts, depths, images, labels)


READERS = 16
"""Threads that read at most: each brings torch's own, as many as there are cores."""


def _make(
    cases: Sequence[Case],
    structures: dict[str, int],
    protocol: RunProtocol,
    folder: Path,
    advance: Callable[[int, int], None],
) -> None:
    to_class = class_map(structures)

    def one(case: Case) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        with calling("dataset"):
            volume = case.read()
        if volume.labels is None:
            raise DataError("has no reference label map", where=case.id)
        image, grid = network_image(volume, protocol, torch.device("cpu"))
        labels = grid.labels(torch.from_numpy(to_class[volume.labels]), len(structures) + 1)
        return image.numpy(), labels.numpy()

    ordered = sorted(cases, key=lambda case: case.id)
    images, labels = [], []
    with ThreadPoolExecutor(min(os.cpu_count() or 1, READERS)) as pool:
        for done, (image, label) in enumerate(pool.map(one, ordered), 1):
            images.append(image)
            labels.append(label)
            advance(done, len(ordered))
    depths = [len(label) for label in labels]
    starts = np.cumsum([0, *depths[:-1]]).tolist()
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    with storage_errors(folder):
        try:
            partial.mkdir()
            np.save(partial / "images.npy", np.concatenate(images))
            np.save(partial / "labels.npy", np.concatenate(labels))
            write_json(
                partial / "index.json",
                {"ids": [case.id for case in ordered], "starts": starts, "depths": depths},
            )
            partial.rename(folder)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
