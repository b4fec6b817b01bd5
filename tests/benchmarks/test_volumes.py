"""Preparation, augmentation and prediction beside other libraries, in turns."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from bench.preparing import Files, write_files
from bench.turns import contest
from bench.work import Work

CASES = 12


def compared(benchmark: Any, table: str, name: str, ways: tuple[str, ...], work: Any, rounds: int) -> None:
    there = [way for way in ways if find_spec(way)]
    contest(benchmark, table, name, there, asdict(work), rounds=rounds)
    benchmark.extra_info["absent"] = [way for way in ways if way not in there]


def test_preparation(benchmark: Any, tmp_path: Path) -> None:
    write_files(tmp_path, CASES)
    work = Files(str(tmp_path), CASES)
    compared(benchmark, "preparation", "10 × 256 × 216 voxels, .nii.gz", ("monai",), work, 5)


@pytest.mark.parametrize(
    "work", [Work("unet2d", "standard", 4), Work("unet3d", "standard", 4)], ids=lambda work: f"{work.dims}d"
)
def test_augmentation(benchmark: Any, work: Work) -> None:
    name = f"{work.dims}D, {work.title.partition(', ')[2]}"
    compared(benchmark, "augmentation", name, ("monai", "torchio"), work, 5)


@pytest.mark.parametrize(
    "work",
    [
        Work("unet2d[base=8]", "standard", 4),
        Work("unet3d[base=8]", "standard", 4),
        Work("unet2d", "standard", 1),
        Work("unet3d", "standard", 1),
    ],
    ids=lambda work: work.model,
)
def test_prediction(benchmark: Any, work: Work) -> None:
    compared(benchmark, "prediction", f"{work.model}, 10 × 256 × 216 voxels", ("monai",), work, 5)
