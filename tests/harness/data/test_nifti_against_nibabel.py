"""Whatever bytes a NIfTI file is stored in, its values are those that nibabel reads."""

import gzip
import tempfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.nifti import read_channels, read_labels

DTYPES = ("u1", "i1", "<i2", ">i2", "<u2", ">u2", "<i4", ">i4", "<f4", ">f4", "<f8", ">f8")
SCALES = ((1.0, 0.0), (0.5, -3.0), (2.0, 100.0), (float("nan"), 0.0), (0.0, 5.0))
"""Slope and intercept; NIfTI takes a slope of 0 or NaN for "not scaled"."""


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """The name and the content of a NIfTI-1 file of random values, packed in one of many ways."""
    shape = draw(st.tuples(st.integers(1, 24), st.integers(1, 24), st.integers(1, 6)))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    # Noise does not compress: the packed file is then longer than the voxels alone.
    noise = np.random.default_rng(draw(st.integers(0, 9))).integers(0, 120, shape)
    values = noise.astype(dtype) if draw(st.booleans()) else np.zeros(shape, dtype)
    order = ">" if dtype.byteorder == ">" else "<"
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(dtype)
    image: Any = nibabel.Nifti1Image(values, np.diag([1.5, 1.5, 8.0, 1.0]), header)
    content = bytearray(image.to_bytes())
    slope_and_intercept = np.array(draw(st.sampled_from(SCALES)), f"{order}f4")
    content[112:120] = slope_and_intercept.tobytes()
    if draw(st.booleans()) and shape[2] > 1:
        # A header that claims fewer voxels than the file holds.
        content[46:48] = np.array(shape[2] - 1, f"{order}i2").tobytes()
    content += bytes(draw(st.sampled_from([0, 0, 1, 2000])))
    if not draw(st.booleans()):
        return "image.nii", bytes(content)
    level, cut = draw(st.sampled_from([0, 0, 1, 6, 9])), draw(st.integers(0, len(content)))
    members = [bytes(content)] if draw(st.booleans()) else [bytes(content[:cut]), bytes(content[cut:])]
    packed = b"".join(gzip.compress(member, level) for member in members)
    return "image.nii.gz", packed + bytes(draw(st.sampled_from([0, 0, 7, 2000])))


@given(files())
@settings(max_examples=300)
def test_every_file_reads_as_nibabel_reads_it(made: tuple[str, bytes]) -> None:
    """A file taken for other values trains or ranks on noise, and nobody notices."""
    name, content = made
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        image: Any = nibabel.load(path)
        expected = np.asarray(image.get_fdata(), np.float32)
        read, spacing_mm = read_channels(path, most=1)
        assert spacing_mm == (8.0, 1.5, 1.5)
        assert np.array_equal(read[0], expected.T)


@pytest.mark.parametrize("padding", [0, 2000])
@pytest.mark.parametrize("level", [0, 9])
def test_a_padded_or_uncompressed_label_map_is_the_same_labels(
    level: int, padding: int, tmp_path: Path
) -> None:
    """A perfect prediction with zeros behind it once scored a Dice of 0."""
    labels = np.random.default_rng(0).integers(0, 4, (40, 40, 8), dtype=np.uint8)
    image: Any = nibabel.Nifti1Image(labels, np.eye(4))
    path = tmp_path / "labels.nii.gz"
    path.write_bytes(gzip.compress(image.to_bytes(), level) + bytes(padding))
    assert np.array_equal(read_labels(path)[0], labels.T)
