"""Checks of what reading a case returns: voxels, labels and spacing that match."""

from __future__ import annotations

import math

import numpy as np

from harness.data.case import Volume
from harness.testing.check import CheckFailed
from harness.testing.datasets.fixtures import source_of, volumes_of
from harness.testing.subject import Subject


def reads(subject: Subject) -> str:
    """A case's read() returns a Volume with a reference."""
    volumes = volumes_of(subject)
    for case, volume in volumes:
        if not isinstance(volume, Volume):
            raise CheckFailed(
                f"{case.id}: read() returned a {type(volume).__name__}", "Return harness.Volume."
            )
        if not isinstance(volume.image, np.ndarray):
            raise CheckFailed(
                f"{case.id}: the image is a {type(volume.image).__name__}", "Return numpy arrays."
            )
        if not isinstance(volume.labels, np.ndarray):
            labels = (
                "no labels" if volume.labels is None else f"labels that are a {type(volume.labels).__name__}"
            )
            raise CheckFailed(
                f"{case.id} has {labels}", "Leave out cases without a reference; return numpy arrays."
            )
    return f"{len(volumes)} of {len(source_of(subject).cases)} cases"


def spacing(subject: Subject) -> str:
    """The spacing is three finite sizes above 0 mm, in the order (z, y, x)."""
    remedy = "Return (z, y, x) in mm from the file's header; for slices, z is their distance."
    spacings = set()
    for case, volume in volumes_of(subject):
        try:
            sizes = tuple(float(mm) for mm in volume.spacing_mm)
        except (TypeError, ValueError):
            sizes = ()
        if len(sizes) != 3 or not all(math.isfinite(mm) and mm > 0 for mm in sizes):
            raise CheckFailed(f"{case.id} has spacing {volume.spacing_mm!r}", remedy)
        spacings.add(" x ".join(f"{mm:.3g}" for mm in sizes))
    return ", ".join(sorted(spacings)[:3]) + (", …" if len(spacings) > 3 else "") + " mm"


def grids(subject: Subject) -> str:
    """Image (C, z, y, x) and labels (z, y, x) have the same grid."""
    grid_sizes = set()
    for case, volume in volumes_of(subject):
        image, labels = volume.image, volume.labels
        assert labels is not None
        if image.ndim != 4 or image.shape[1:] != labels.shape or 0 in image.shape:
            raise CheckFailed(
                f"{case.id} has an image {image.shape} and labels {labels.shape}",
                "Return (C, z, y, x) and (z, y, x): add a channel axis with image[None], and transpose once.",
            )
        grid_sizes.add(" x ".join(map(str, labels.shape)))
    return ", ".join(sorted(grid_sizes)[:3]) + (", …" if len(grid_sizes) > 3 else "")


def intensities(subject: Subject) -> str:
    """Images have real and finite values."""
    for case, volume in volumes_of(subject):
        if volume.image.dtype.kind not in "fiu" or not np.isfinite(volume.image).all():
            raise CheckFailed(
                f"the image of {case.id} is {volume.image.dtype}, or has NaN or infinite values",
                "Return float32, and replace missing values by a number.",
            )
    return "finite"


def channels(subject: Subject) -> str:
    """All cases have the same number of image channels."""
    case_with = {volume.image.shape[0]: case.id for case, volume in volumes_of(subject)}
    if len(case_with) > 1:
        examples = ", ".join(f"{id_} {count}" for count, id_ in case_with.items())
        raise CheckFailed(
            f"numbers of channels differ: {examples}", "Fill or leave out the channels that some cases lack."
        )
    return str(next(iter(case_with)))


def label_values(subject: Subject) -> str:
    """Labels are integers: 0 and the values of the declared structures."""
    structures = source_of(subject).structures
    remedy = f"Declare them in Dataset(structures=…), or map them; declared: {structures}."
    values: set[int] = set()
    for case, volume in volumes_of(subject):
        labels = volume.labels
        assert labels is not None
        if labels.dtype.kind not in "iu":
            raise CheckFailed(
                f"labels of {case.id} are {labels.dtype}", "Return uint8, and never interpolate labels."
            )
        foreign = sorted(set(np.unique(labels).tolist()) - {0, *structures.values()})
        if foreign:
            raise CheckFailed(f"{case.id} has label values {foreign[:5]}", remedy)
        values |= set(np.unique(labels).tolist())
    absent = [name for name, value in structures.items() if value not in values]
    if len(absent) == len(structures):
        raise CheckFailed("none of the cases that were read has any structure", remedy)
    return f"{sorted(values)}" + (f"; absent: {', '.join(absent)}" if absent else "")
