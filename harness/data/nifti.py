"""Reading and writing of NIfTI files; the only place that transposes.

NIfTI stores ``(x, y, z)``; everything else here is ``(z, y, x)``. The spacing is the header's
pixdim, because an affine can wrongly say 1 mm (in ACDC all of them do).
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
"""File name suffixes of NIfTI files, longest first."""

MOST_VOXELS = 2**30
"""More than a whole-body CT has, over all channels: such a header is damaged, and no data is read."""

MOST_PACKED = 1032
"""DEFLATE's maximum compression factor (zlib, "Technical Details")."""

MOST_MM = 100.0
"""A larger voxel means a damaged header or another unit."""

SAME_MM = 1e-3
"""Image and labels may differ in spacing by rounding errors only."""


# nibabel also logs to the terminal what it repairs or rejects in a header; errors here say it in one line.
nibabel.imageglobals.logger.disabled = True


class GridError(DataError):
    """Two files that must share a grid have different ones."""


class LabelError(DataError):
    """A label map has invalid values."""


def read_channels(path: Path, most: int) -> tuple[NDArray[np.float32], Spacing]:
    """Image ``(C, z, y, x)`` and its spacing: a 3D file is one channel, a 4D file has up to `most`.

    Any problem with the file is a DataError of one line.
    """
    values, spacing = _read(path, most)
    with np.errstate(over="ignore"):
        image = np.asarray(values, np.float32)
    if not np.isfinite(image).all():
        raise DataError("the image has NaN or infinite values", where=path)
    return image, spacing


def read_labels(path: Path) -> tuple[NDArray[np.uint8], Spacing]:
    """Label map ``(z, y, x)`` and its spacing; DataError unless values are integers from 0 to 255."""
    channels, spacing = _read(path, 1)
    values = channels[0]
    with np.errstate(invalid="ignore"):
        labels = values.astype(np.uint8, casting="unsafe")
    if not np.array_equal(labels, values):
        raise LabelError("label values are not integers from 0 to 255", where=path)
    return labels, spacing


def read_volume(
    images: Sequence[Path], labels: Path | None, allowed: Collection[int], channels: int | None = None
) -> Volume:
    """All channels and a label map on the same grid; DataError if they do not match.

    Each of `images` is one channel. If `channels` is given, a 4D file may have several (its last
    axis), and all files together must have that many.
    """
    loaded: list[NDArray[np.float32]] = []
    spacing = None
    for path in images:
        image, mm = read_channels(path, most=channels or 1)
        if spacing is not None:
            same_grid(path, image.shape[1:], mm, images[0].name, loaded[0].shape, spacing)
            same_directions(path, images[0])
        loaded.extend(image)
        spacing = spacing or mm
    if spacing is None:
        raise DataError("a case needs at least one image")
    if channels is not None and len(loaded) != channels:
        raise DataError(f"has {_count(len(loaded))}, expected {channels}", where=images[0])
    label_map = None
    if labels is not None:
        label_map, mm = read_labels(labels)
        same_grid(labels, label_map.shape, mm, images[0].name, loaded[0].shape, spacing)
        same_directions(labels, images[0])
        foreign = sorted(set(np.unique(label_map).tolist()) - {0, *allowed})
        if foreign:
            raise LabelError(
                f"label values {foreign} are not among {sorted({0, *allowed})}",
                where=labels,
                remedy="Correct the file, or declare the structure.",
            )
    return Volume(np.stack(loaded), label_map, spacing)


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
    channels: int | None = None,
) -> Case:
    """A case whose files `read_volume` reads when they are needed."""
    read = functools.partial(read_volume, tuple(images), labels, tuple(allowed), channels)
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

    Header and affine are copied from the NIfTI file `like`; without one, only `spacing_mm` is stored.
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
        # No name and no time in the gzip header, so that equal labels give equal files.
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=6, mtime=0) as compressed:
            compressed.write(content)

    write_atomic(path, write)


def affine_spacing(path: Path) -> Spacing:
    """Voxel sizes ``(z, y, x)`` in mm according to the affine, which `read_channels` does not trust."""
    image: Any = nibabel.load(path)
    lengths = np.sqrt((image.affine[:3, :3] ** 2).sum(axis=0))
    x, y, z = (round(float(mm), 6) for mm in lengths)
    return z, y, x


def _read(path: Path, most: int) -> tuple[NDArray[Any], Spacing]:
    """Values ``(C, z, y, x)`` with at most `most` channels."""
    try:
        image: Any = nibabel.load(path)
        shape = _checked_shape(path, image.shape, most)
        spacing = _checked_spacing(path, _pixdim(image))
        values = _values(path, image).reshape(shape)
    except FileNotFoundError as error:
        raise DataError("there is no such file", where=path) from error
    except PermissionError as error:
        raise DataError("may not be read", where=path, remedy="Change its permissions.") from error
    except (ImageFileError, HeaderDataError) as error:
        raise DataError(f"is not a NIfTI file: {error}", where=path) from error
    except (EOFError, zlib.error, gzip.BadGzipFile, OSError, OverflowError, ValueError) as error:
        raise DataError(f"is damaged or truncated: {error}", where=path, remedy="Copy it again.") from error
    # A view with reversed axes; made contiguous once, here.
    return np.ascontiguousarray(values.T), spacing


def _values(path: Path, image: Any) -> NDArray[Any]:
    """All values, scaled as the header says; a packed file is read to its end, where its checksum is."""
    proxy = image.dataobj
    if proxy.dtype.kind not in "iuf":
        raise DataError(f"has voxels of type {proxy.dtype}, expected integers or floats", where=path)
    packed = path.name.endswith(".gz")
    size = Path(image.file_map["image"].filename).stat().st_size
    if math.prod(proxy.shape) * proxy.dtype.itemsize > size * (MOST_PACKED if packed else 1):
        # nibabel allocates memory for all voxels before it reads the first one.
        raise EOFError("its header claims more voxels than a file of this size can hold")
    if not packed:
        return np.asarray(proxy)
    with image.file_map["image"].get_prepare_fileobj() as file:
        layout = (proxy.shape, proxy.dtype, proxy.offset, proxy.slope, proxy.inter)
        # No memory map: nibabel does not see that this opener decompresses, and would map the packed bytes.
        values = np.asarray(type(proxy)(file, layout, mmap=False))
        while file.read(2**20):
            pass
    return values


def _checked_shape(path: Path, shape: tuple[int, ...], most: int) -> tuple[int, int, int, int]:
    """``(x, y, z, C)``, with one channel in a 3D file."""
    if len(shape) == 3:
        shape = (*shape, 1)
    if len(shape) != 4 or (shape[3] > 1 and most == 1):
        raise DataError(
            f"has shape {shape}, expected one 3D volume per {'case' if most == 1 else 'channel'}", where=path
        )
    if min(shape) < 1 or math.prod(shape) > MOST_VOXELS:
        raise DataError(f"its header claims {' x '.join(map(str, shape))} voxels", where=path)
    if shape[3] > most:
        raise DataError(f"has {_count(shape[3])}, expected {most}", where=path)
    return shape[0], shape[1], shape[2], shape[3]


def _count(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"


def _pixdim(image: Any) -> Sequence[float]:
    """Voxel sizes (x, y, z) as stored in the file; on loading, nibabel replaces 0 by 1 mm."""
    with image.file_map["header" if "header" in image.file_map else "image"].get_prepare_fileobj() as file:
        header = type(image).header_class.from_fileobj(file, check=False)
    sizes: list[float] = (
        header["pixdim"][1:4].tolist() if "pixdim" in header else list(header.get_zooms()[:3])
    )
    return sizes


def _checked_spacing(path: Path, zooms: Sequence[float]) -> Spacing:
    x, y, z = (round(float(mm), 6) for mm in zooms[:3])
    if not all(0 < mm <= MOST_MM for mm in (x, y, z)):
        raise DataError(f"invalid voxel size in pixdim: {x:g} x {y:g} x {z:g} mm", where=path)
    return z, y, x


def same_grid(
    path: Path,
    shape: tuple[int, ...],
    mm: Spacing,
    other: str,
    other_shape: tuple[int, ...],
    other_mm: Spacing,
) -> None:
    """GridError unless `path` has the shape and spacing ``(z, y, x)`` of the file named `other`."""
    if shape != other_shape:
        raise GridError(f"has shape {shape}, {other} has {other_shape} (z, y, x)", where=path)
    if max(abs(a - b) for a, b in zip(mm, other_mm, strict=True)) > SAME_MM:
        raise GridError(f"has spacing {mm} mm, {other} has {other_mm} (z, y, x)", where=path)


def same_directions(path: Path, other: Path) -> None:
    """GridError if the axes of two NIfTI files have different directions: one is mirrored or rotated.

    Files without axis directions, and files that differ only in lengths, pass.
    """
    axes, other_axes = directions(path), directions(other)
    if axes and other_axes and axes != other_axes:
        raise GridError(
            f"its axes point to {axes}, those of {other.name} to {other_axes}",
            where=path,
            remedy="Save it with the voxel order and the affine of the original image.",
        )


def directions(path: Path) -> str | None:
    """The directions of the x, y and z axes, such as ``LPS``; None if the header has none."""
    image: Any = nibabel.load(path)
    header = image.header
    coded = "qform_code" in header and "sform_code" in header
    if coded and not int(header["qform_code"]) and not int(header["sform_code"]):
        return None
    codes: list[Any] = list(nibabel.aff2axcodes(image.affine))  # type: ignore[no-untyped-call]
    return None if None in codes else "".join(codes)
