"""Two ways to prepare image files for a network: the harness's `prepare` and MONAI's cached dataset.

Figures: ``seconds`` for all files, ``again_s`` to get what has been prepared before.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hearts
from made_specs import run_protocol

from bench.predicting import volume
from harness.data.nifti import nifti_case, write_labels

Turn = Callable[[dict[str, Any]], None]
PROTOCOL = run_protocol(spacing_mm=1.5, crop=(128, 128), normalisation="z-score")


@dataclass(frozen=True)
class Files:
    """So many cases of ACDC's size as ``image.nii.gz`` and ``labels.nii.gz`` below `folder`."""

    folder: str
    cases: int

    def pairs(self) -> list[tuple[Path, Path]]:
        """Image and labels of each case."""
        folders = [Path(self.folder) / f"c{i:03}" for i in range(self.cases)]
        return [(folder / "image.nii.gz", folder / "labels.nii.gz") for folder in folders]


def write_files(folder: Path, cases: int) -> None:
    """Write the same heart `cases` times; preparing it takes as long as preparing different ones."""
    import nibabel
    import numpy as np

    scanned = volume()
    assert scanned.labels is not None
    first = folder / "c000"
    first.mkdir(parents=True)
    # nibabel is annotated in part only.
    library: Any = nibabel
    image = library.Nifti1Image((scanned.image[0].T * 100 + 200).astype(np.int16), np.eye(4))
    image.header.set_zooms(scanned.spacing_mm[::-1])
    library.save(image, first / "image.nii.gz")
    write_labels(first / "labels.nii.gz", scanned.labels, spacing_mm=scanned.spacing_mm)
    for i in range(1, cases):
        shutil.copytree(first, folder / f"c{i:03}")


def harness(files: Files, turn: Turn) -> None:
    """Written as memory-mapped arrays that every later run opens."""
    from harness.data.prepare import prepare

    allowed = hearts.STRUCTURES.values()
    cases = [
        nifti_case(image.parent.name, image.parent.name, None, [image], labels, {0, *allowed})
        for image, labels in files.pairs()
    ]
    while True:
        with tempfile.TemporaryDirectory() as folder:
            arguments: Any = (cases, hearts.STRUCTURES, PROTOCOL, Path(folder) / "made")
            start = time.perf_counter()
            prepare(*arguments)
            made = time.perf_counter()
            prepare(*arguments)
            again_s = time.perf_counter() - made
        turn({"seconds": made - start, "again_s": again_s, "steps": files.cases})


def monai(files: Files, turn: Turn) -> None:
    """Kept in memory, on as many threads as there are cores; every run does it again."""
    import monai.data
    import monai.transforms as mt

    both = ["image", "labels"]
    spacing, crop = PROTOCOL.spacing_mm, PROTOCOL.crop
    chain = mt.Compose(
        [
            mt.LoadImaged(both),
            mt.EnsureChannelFirstd(both),
            mt.Spacingd(both, (spacing, spacing, hearts.ACDC_SPACING_MM[0]), mode=("bilinear", "nearest")),
            mt.ResizeWithPadOrCropd(both, (*crop, -1)),
            mt.NormalizeIntensityd(["image"]),
        ]
    )
    items = [{"image": str(image), "labels": str(labels)} for image, labels in files.pairs()]
    while True:
        start = time.perf_counter()
        monai.data.CacheDataset(items, chain, num_workers=os.cpu_count(), progress=False)
        turn({"seconds": time.perf_counter() - start, "steps": files.cases})


WAYS = {"harness": harness, "monai": monai}
