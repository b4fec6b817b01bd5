"""The door where NIfTI files are read and written; the only place that transposes.

NIfTI stores ``(x, y, z)``; everything else here is ``(z, y, x)``. Spacing is the header's
pixdim: an affine may say 1 mm and be wrong (in ACDC it always is).
"""

from __future__ import annotations

import functools
import gzip
import math
import zlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from harness.data.case import Case, Part, Volume
from harness.errors import DataError
from harness.store.atomic import write_atomic

Spacing = tuple[float, float, float]

ENDINGS = (".nii.gz", ".nii")
"""How names of NIfTI files end, longest first."""

MOST_VOXELS = 2**28
"""More than any cardiac volume by a hundred times: such a header is damaged, and is refused unread."""

MOST_MM = 100.0
"""Voxels larger than this are a damaged header or other units."""

SAME_MM = 1e-3
"""Image and labels may differ in spacing by rounding, not by more."""


class GridError(DataError):
    """Two files that must lie on the same grid do not."""


class LabelError(DataError):
    """A label map holds values that it must not."""


def read_image(path: Path) -> tuple[NDArray[np.float32], Spacing]:
    """Image ``(z, y, x)`` and its spacing; DataError in one line for whatever is wrong with the file."""
    values, spacing = _read(path)
    image = np.asarray(values, np.float32)
    if not np.isfinite(image).all():
        raise DataError("the image has NaN or infinite values", where=path)
    return image, spacing


def read_labels(path: Path) -> tuple[NDArray[np.uint8], Spacing]:
    """Label map ``(z, y, x)`` and its spacing; DataError if values are not whole numbers of 0 to 255."""
    values, spacing = _read(path)
    labels = values.astype(np.uint8, casting="unsafe") if values.dtype.kind in "iuf" else None
    if labels is None or not np.array_equal(labels, values):
        raise LabelError("label values are not whole numbers from 0 to 255", where=path)
    return labels, spacing


def read_volume(images: Sequence[Path], labels: Path | None, allowed: Collection[int]) -> Volume:
    """One or more channels and a label map on the same grid; DataError where they don't fit."""
    channels, spacing = [], None
    for path in images:
        image, mm = read_image(path)
        if spacing is not None:
            same_grid(path, image.shape, mm, images[0].name, channels[0].shape, spacing)
        channels.append(image)
        spacing = spacing or mm
    if spacing is None:
        raise DataError("a case needs at least one image")
    marked = None
    if labels is not None:
        marked, mm = read_labels(labels)
        same_grid(labels, marked.shape, mm, images[0].name, channels[0].shape, spacing)
        foreign = sorted(set(np.unique(marked).tolist()) - {0, *allowed})
        if foreign:
            raise LabelError(
                f"label values {foreign} are not among {sorted({0, *allowed})}",
                where=labels,
                remedy="Correct the file, or declare the structure.",
            )
    return Volume(np.stack(channels), marked, spacing)


def nifti_case(
    id_: str,
    patient: str,
    phase: str | None,
    images: Sequence[Path],
    labels: Path | None,
    allowed: Collection[int],
    *,
    group: str | None = None,
    part: Part | None = None,
) -> Case:
    """A case whose files are read when it is asked for."""
    read = functools.partial(read_volume, tuple(images), labels, tuple(allowed))
    files = (*images, *((labels,) if labels is not None else ()))
    return Case(id_, patient, phase, read, files, group=group, part=part)


def write_labels(
    path: Path,
    labels: NDArray[np.uint8],
    *,
    like: Path | None = None,
    spacing_mm: Spacing = (1.0, 1.0, 1.0),
) -> None:
    """Write labels ``(z, y, x)`` as ``.nii.gz``, atomically and with the same bytes each time.

    Header and affine are those of the NIfTI file `like`; without one, only `spacing_mm` is told.
    """
    array = np.ascontiguousarray(labels.T)
    nifti: Any = nibabel.Nifti1Image
    if like is not None:
        source: Any = nibabel.load(like)
        header = source.header.copy()
        header.set_data_dtype(np.uint8)
        header.set_slope_inter(1, 0)
        image = nifti(array, source.affine, header)
    else:
        image = nifti(array, np.diag([*spacing_mm[::-1], 1.0]))
    content = image.to_bytes()

    def write(file: Any) -> None:
        # No name and no time in the gzip header: equal labels are equal files.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as packed:
            packed.write(content)

    write_atomic(path, write)


def affine_spacing(path: Path) -> Spacing:
    """Voxel sizes ``(z, y, x)`` in mm as the affine has them, which `read_image` does not trust."""
    image: Any = nibabel.load(path)
    lengths = np.sqrt((image.affine[:3, :3] ** 2).sum(axis=0))
    x, y, z = (round(float(mm), 6) for mm in lengths)
    return z, y, x


def _read(path: Path) -> tuple[NDArray[Any], Spacing]:
    try:
        image: Any = nibabel.load(path)
        shape = _checked_shape(path, image.shape)
        spacing = _checked_spacing(path, image.header.get_zooms())
        values = np.asanyarray(image.dataobj).reshape(shape)
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=path) from error
    except PermissionError as error:
        raise DataError("may not be read", where=path, remedy="Change its permissions.") from error
    except (ImageFileError, HeaderDataError) as error:
        raise DataError(f"is not a NIfTI file: {error}", where=path) from error
    except (EOFError, zlib.error, gzip.BadGzipFile, OSError, ValueError) as error:
        raise DataError(f"is damaged or cut short: {error}", where=path, remedy="Copy it again.") from error
    # A view with reversed axes; made contiguous once, here.
    return np.ascontiguousarray(values.T), spacing


def _checked_shape(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) == 4 and shape[3] == 1:
        shape = shape[:3]
    if len(shape) != 3:
        raise DataError(f"has shape {shape}; a case is one 3D volume", where=path)
    if min(shape) < 1 or math.prod(shape) > MOST_VOXELS:
        raise DataError(f"its header claims {' x '.join(map(str, shape))} voxels", where=path)
    return shape[0], shape[1], shape[2]


def _checked_spacing(path: Path, zooms: Sequence[float]) -> Spacing:
    x, y, z = (round(float(mm), 6) for mm in zooms[:3])
    if not all(0 < mm <= MOST_MM for mm in (x, y, z)):
        raise DataError(f"pixdim says a voxel is {x:g} x {y:g} x {z:g} mm", where=path)
    return z, y, x


def same_grid(
    path: Path,
    shape: tuple[int, ...],
    mm: Spacing,
    other: str,
    other_shape: tuple[int, ...],
    other_mm: Spacing,
) -> None:
    """GridError if `path` has another shape or spacing than what is called `other`, both ``(z, y, x)``."""
    if shape != other_shape:
        raise GridError(f"has shape {shape}, {other} has {other_shape} (z, y, x)", where=path)
    if max(abs(a - b) for a, b in zip(mm, other_mm, strict=True)) > SAME_MM:
        raise GridError(f"has spacing {mm} mm, {other} has {other_mm} (z, y, x)", where=path)
