"""Datasets of two made-up organs in two channels, written as nnU-Net and the Decathlon have them.

The gland is bright in the first channel only, the pair of stones in the second only: whoever loses
or swaps a channel, or keeps only one part of a structure, can't find both.
"""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

SPACING_MM = (3.0, 1.5, 1.25)
STRUCTURES = {"gland": 1, "stone pair": 2}
CHANNELS = {"0": "T2", "1": "ADC"}

Array = NDArray[Any]


def organs(number: int) -> tuple[Array, Array]:
    """Image ``(2, z, y, x)`` and labels ``(z, y, x)`` of a case."""
    noise = np.random.default_rng(number)
    y, x = np.mgrid[:20, :24]
    cy, cx = np.array([7, 9]) + noise.uniform(-1.5, 1.5, size=2)
    labels = np.zeros((4, 20, 24), np.uint8)
    labels[1:, np.hypot(y - cy, x - cx) < 4.5] = 1
    for away in (-6, 6):
        labels[:3, np.hypot(y - cy - 9, x - cx - 3 - away) < 2.6] = 2
    shown = np.stack([labels == 1, labels == 2]) * np.array([100.0, -800.0])[:, None, None, None]
    image = shown + np.array([50.0, 1500.0])[:, None, None, None] + noise.normal(0, 5, shown.shape)
    return image.astype(np.float32), labels


def write(path: Path, array: Array, spacing_mm: tuple[float, ...] = SPACING_MM) -> None:
    """Write ``(z, y, x)``, or ``(C, z, y, x)`` as a 4D file with channels last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    nifti: Any = nibabel.Nifti1Image
    image = nifti(array.T, np.eye(4))
    # Only pixdim tells the spacing; the affine is wrong, as it is in some public datasets.
    image.header.set_zooms((*spacing_mm[::-1], *[1.0] * (array.ndim - 3)))
    nibabel.save(image, path)


def describe(root: Path, **changes: Any) -> None:
    """Write nnU-Net's ``dataset.json``; a change to None leaves its key out."""
    told = {
        "channel_names": CHANNELS,
        "labels": {"background": 0, **STRUCTURES},
        "numTraining": 1,
        "file_ending": ".nii.gz",
        **changes,
    }
    root.mkdir(parents=True, exist_ok=True)
    (root / "dataset.json").write_text(json.dumps({k: v for k, v in told.items() if v is not None}))


def nnunet(root: Path, train: Iterable[str], test: Iterable[str] = ()) -> Path:
    """A dataset with these case ids in nnU-Net's raw layout."""
    describe(root)
    number = 0
    for part, ids in (("Tr", train), ("Ts", test)):
        for id_ in ids:
            image, labels = organs(number)
            for channel, values in enumerate(image):
                write(root / f"images{part}" / f"{id_}_{channel:04d}.nii.gz", values)
            write(root / f"labels{part}" / f"{id_}.nii.gz", labels)
            number += 1
    return root


def decathlon(
    root: Path, train: Iterable[str], change: Callable[[dict[str, Any]], None] | None = None
) -> Path:
    """A dataset with these case ids as the Decathlon has them; `change` edits ``dataset.json``."""
    listed = []
    for number, id_ in enumerate(train):
        image, labels = organs(number)
        write(root / "imagesTr" / f"{id_}.nii.gz", image)
        write(root / "labelsTr" / f"{id_}.nii.gz", labels)
        # What their archives carry from the machine that made them.
        (root / "imagesTr" / f"._{id_}.nii.gz").write_bytes(b"\0\5\x16\7")
        listed.append({"image": f"./imagesTr/{id_}.nii.gz", "label": f"./labelsTr/{id_}.nii.gz"})
    told = {
        "name": "MADE",
        "tensorImageSize": "4D",
        "modality": CHANNELS,
        "labels": {"0": "background", **{str(value): name for name, value in STRUCTURES.items()}},
        "numTraining": len(listed),
        "training": listed,
        "test": ["./imagesTs/unlabelled.nii.gz"],
    }
    if change is not None:
        change(told)
    (root / "dataset.json").write_text(json.dumps(told))
    return root
