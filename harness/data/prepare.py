"""Preparation of training data: done once per content key, shared by all runs as memory-mapped arrays."""

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
    """All cases on the network's grid, concatenated along slices.

    `images` is float32 ``(S, C, H, W)``, `labels` uint8 class indices ``(S, H, W)``; case `i` of
    `ids` has the slices ``starts[i]`` to ``starts[i] + depths[i]``.
    """

    ids: tuple[str, ...]
    starts: tuple[int, ...]
    depths: tuple[int, ...]
    images: NDArray[np.float32]
    labels: NDArray[np.uint8]


def class_map(structures: dict[str, int]) -> NDArray[np.uint8]:
    """Lookup table from label value to class index: background 0, then the structures in order."""
    table = np.zeros(256, np.uint8)
    for index, value in enumerate(structures.values(), 1):
        table[value] = index
    return table


def network_image(
    volume: Volume, protocol: RunProtocol, device: torch.device
) -> tuple[torch.Tensor, ResamplingGrid]:
    """The network's input for `volume`, ``(z, C, H, W)`` on `device`, and the grid that leads back."""
    _, dy, dx = volume.spacing_mm
    y, x = volume.image.shape[2:]
    height, width = protocol.crop
    grid = ResamplingGrid.of((y, x), (dy, dx), protocol.spacing_mm, (height, width))
    # A plugin's array may have negative strides or another type.
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
    """Load the prepared data in `folder`, or prepare it; several processes may call this at once.

    The folder appears under its name only when it is complete, so a killed process leaves no partial data.
    """
    with storage_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        with Lease(folder.parent, f"{folder.name}-lease").waited():
            if not folder.exists():
                for leftover in folder.parent.glob(f"{folder.name}.*.tmp"):
                    # Left by a killed process: a living one would hold the lease.
                    shutil.rmtree(leftover, ignore_errors=True)
                _make(cases, structures, protocol, folder, advance)
    return load(folder)


def load(folder: Path) -> Prepared:
    """Map the arrays in `folder` into memory; DataError if they are damaged."""
    try:
        index = read_json(folder / "index.json")
        ids, starts, depths = (tuple(index[name]) for name in ("ids", "starts", "depths"))
        images, labels = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("images", "labels"))
        if not len(images) == len(labels) == sum(depths):
            raise ValueError(f"{len(images)} images, {len(labels)} label maps for {sum(depths)} slices")
    except (HarnessError, EOFError, KeyError, OSError, TypeError, ValueError) as error:
        # A missing or damaged file is not prepared again by itself.
        raise DataError(
            f"prepared data is damaged: {describe(error)}",
            where=folder,
            remedy="Delete this folder and run again.",
        ) from error
    return Prepared(ids, starts, depths, images, labels)


READERS = 16
"""The largest number of reading threads: each one starts as many torch threads as there are cores."""


def _make(
    cases: Sequence[Case],
    structures: dict[str, int],
    protocol: RunProtocol,
    folder: Path,
    advance: Callable[[int, int], None],
) -> None:
    to_class = class_map(structures)

    def prepare_case(case: Case) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
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
        for done, (image, label) in enumerate(pool.map(prepare_case, ordered), 1):
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
