"""NIfTI files as they are found: axes, the spacing that is true, and one line for whatever is wrong."""

import gzip
import struct
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from harness.data import nifti
from harness.data.nifti import (
    GridError,
    LabelError,
    affine_spacing,
    nifti_case,
    read_channels,
    read_labels,
    read_volume,
    write_labels,
)
from harness.errors import DataError

Array = NDArray[Any]
SHAPE = (3, 5, 4)
SPACING_MM = (10.0, 1.5, 1.25)
LIE = np.diag([-1.0, -1.0, 1.0, 1.0])
DIM, DATATYPE, PIXDIM, OFFSET, SLOPE, SFORM_CODE = 40, 70, 76, 108, 112, 254
"""Where these fields begin in a NIfTI-1 header."""


def save(path: Path, array: Array, spacing_mm: tuple[float, ...] = SPACING_MM) -> Path:
    """Write ``(z, y, x)`` as ACDC does: the sform says 1 mm, pixdim says the truth."""
    image: Any = nibabel.Nifti1Image(array.T, LIE)
    image.header.set_zooms((*spacing_mm[::-1], *[1.0] * (array.ndim - 3)))
    nibabel.save(image, path)
    return path


def voxels(dtype: Any = np.int16, shape: tuple[int, ...] = SHAPE) -> Array:
    """All different, so that a swapped or flipped axis shows."""
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def patch(path: Path, offset: int, layout: str, *values: float) -> Path:
    """Overwrite header bytes of a NIfTI file, packed or not."""
    packed = path.name.endswith(".gz")
    content = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
    struct.pack_into(f"<{layout}", content, offset, *values)
    path.write_bytes(gzip.compress(bytes(content)) if packed else bytes(content))
    return path


def read_image(path: Path) -> tuple[Any, nifti.Spacing]:
    """The only channel of a 3D file, and its spacing."""
    channels, spacing = read_channels(path, most=1)
    return channels[0], spacing


def refusal(path: Path, read: Callable[[Path], Any] = read_image, kind: type[DataError] = DataError) -> str:
    """The one line that is said of `path`."""
    with pytest.raises(kind) as caught:
        read(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return line


@pytest.fixture(autouse=True)
def quiet(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Neither numpy nor nibabel may speak to the terminal on their own."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("ending", nifti.ENDINGS)
@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8, np.float64, ">i2"])
def test_voxels_come_as_float32_in_zyx(ending: str, dtype: Any, tmp_path: Path) -> None:
    """Else networks see transposed hearts, or other values on another scanner's file."""
    image, spacing = read_image(save(tmp_path / f"a{ending}", voxels(dtype)))
    assert image.dtype == np.float32
    assert image.flags.c_contiguous
    assert np.array_equal(image, voxels(np.float32))
    assert spacing == SPACING_MM


def test_spacing_is_pixdim_though_the_affine_lies(tmp_path: Path) -> None:
    """Else every distance in mm and every resampling of ACDC is wrong."""
    path = save(tmp_path / "a.nii.gz", voxels())
    assert affine_spacing(path) == (1.0, 1.0, 1.0)
    assert read_image(path)[1] == SPACING_MM
    assert read_labels(path)[1] == SPACING_MM


def test_slope_and_intercept_are_applied(tmp_path: Path) -> None:
    """Else an image stored as scaled integers has other intensities than its twin in floats."""
    path = save(tmp_path / "a.nii", voxels())
    patch(path, SLOPE, "ff", 0.5, -3.0)
    assert np.array_equal(read_image(path)[0], voxels(np.float32) * 0.5 - 3)


@pytest.mark.parametrize("ending", nifti.ENDINGS)
@pytest.mark.parametrize("kept", [0, 100, 400])
def test_file_that_was_cut_short(ending: str, kept: int, tmp_path: Path) -> None:
    """A download that broke off, in nothing, in the header, in the voxels."""
    noise = np.random.default_rng(0).integers(0, 1000, (6, 20, 20)).astype(np.int16)
    path = save(tmp_path / f"a{ending}", noise)
    path.write_bytes(path.read_bytes()[:kept])
    line = refusal(path)
    assert "is not a NIfTI file" in line or "is damaged or truncated" in line


@pytest.mark.parametrize("ending", nifti.ENDINGS)
def test_file_that_lacks_its_last_voxels(ending: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 1000, (6, 20, 20)).astype(np.int16)
    path = save(tmp_path / f"a{ending}", noise)
    path.write_bytes(path.read_bytes()[:-20])
    line = refusal(path)
    assert "is damaged or truncated" in line
    assert line.endswith("Copy it again.")


def test_damaged_voxels_in_a_packed_file_are_noticed(tmp_path: Path) -> None:
    """gzip's checksum is there to be looked at: else a run trains on noise."""
    path = tmp_path / "a.nii.gz"
    # Larger than what is read merely to tell the format.
    save(tmp_path / "a.nii", voxels(shape=(6, 40, 40)))
    # Stored, not compressed: no inner structure can give the flipped bit away.
    content = bytearray(gzip.compress((tmp_path / "a.nii").read_bytes(), compresslevel=0))
    content[-40] ^= 1
    path.write_bytes(bytes(content))
    assert "is damaged or truncated" in refusal(path)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii"])
def test_text_under_the_name_of_an_image(name: str, tmp_path: Path) -> None:
    """What a login page saved by a download tool is."""
    (tmp_path / name).write_text("<html>Please log in</html>\n" * 50)
    assert "is not a NIfTI file" in refusal(tmp_path / name)


def test_no_file_and_a_folder_in_its_place(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "a.nii.gz")
    (tmp_path / "b.nii.gz").mkdir()
    refusal(tmp_path / "b.nii.gz")


@pytest.mark.parametrize("ending", nifti.ENDINGS)
@pytest.mark.parametrize(
    "dim",
    [
        (3, 30000, 30000, 30000, 1, 1, 1, 1),
        (3, 1000, 1000, 1000, 1, 1, 1, 1),
        (4, 512, 512, 512, 30000, 1, 1, 1),
        (3, -4, 5, 3, 1, 1, 1, 1),
        (3, 0, 5, 3, 1, 1, 1, 1),
        (7, 9, 9, 9, 9, 9, 9, 9),
        (9, 4, 5, 3, 1, 1, 1, 1),
        (-1, 4, 5, 3, 1, 1, 1, 1),
    ],
)
def test_absurd_size_is_refused_before_memory_is_taken(
    ending: str, dim: tuple[int, ...], tmp_path: Path
) -> None:
    """A damaged header must not bring the machine down."""
    path = patch(save(tmp_path / f"a{ending}", voxels()), DIM, "8h", *dim)
    tracemalloc.start()
    try:
        refusal(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_label_map_that_packs_best_is_read(tmp_path: Path) -> None:
    """Nothing but background packs a thousandfold, and is no damaged file."""
    plain = save(tmp_path / "a.nii", np.zeros((100, 256, 256), np.uint8))
    path = tmp_path / "a.nii.gz"
    path.write_bytes(gzip.compress(plain.read_bytes(), 9))
    assert path.stat().st_size < 100 * 256 * 256 / 900
    assert not read_labels(path)[0].any()


@pytest.mark.parametrize("ending", nifti.ENDINGS)
def test_size_that_is_possible_but_not_in_the_file(ending: str, tmp_path: Path) -> None:
    path = patch(save(tmp_path / f"a{ending}", voxels()), DIM, "8h", 3, 4, 5, 30, 1, 1, 1, 1)
    assert "is damaged or truncated" in refusal(path)


@pytest.mark.parametrize(
    ("code", "bits"), [(9999, 16), (128, 24), (32, 64)], ids=["unknown", "colours", "complex"]
)
@pytest.mark.parametrize("read", [read_image, read_labels])
def test_values_that_are_not_plain_numbers(
    code: int, bits: int, read: Callable[[Path], Any], tmp_path: Path
) -> None:
    path = save(tmp_path / "a.nii", voxels())
    path.write_bytes(path.read_bytes() + bytes(1000))
    refusal(patch(path, DATATYPE, "2h", code, bits), read)


@pytest.mark.parametrize("offset", [100.0, -400.0, 1e9, np.inf, np.nan])
@pytest.mark.parametrize("ending", nifti.ENDINGS)
def test_voxels_that_begin_nowhere(offset: float, ending: str, tmp_path: Path) -> None:
    refusal(patch(save(tmp_path / f"a{ending}", voxels()), OFFSET, "f", offset))


def test_what_nibabel_repairs_in_a_header_stays_off_the_terminal(tmp_path: Path) -> None:
    """Its log writes to the stderr of the moment it was imported, past any capture: so in a process."""
    path = patch(save(tmp_path / "a.nii.gz", voxels()), SFORM_CODE, "h", 99)
    code = (
        "import sys, pathlib; from harness.data import nifti; "
        "nifti.read_channels(pathlib.Path(sys.argv[1]), 1)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("mm", [0.0, -1.5, float("nan"), float("inf"), 1500.0])
def test_spacing_that_no_scanner_has(mm: float, tmp_path: Path) -> None:
    """Else 0 mm becomes 1 mm silently, and NaN reaches the distances."""
    path = patch(save(tmp_path / "a.nii.gz", voxels()), PIXDIM + 4, "f", mm)
    assert "invalid voxel size in pixdim" in refusal(path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_image_with_values_that_are_no_numbers(value: float, tmp_path: Path) -> None:
    """One NaN voxel would make every weight NaN."""
    image = voxels(np.float32)
    image[1, 2, 3] = value
    assert "NaN or infinite" in refusal(save(tmp_path / "a.nii.gz", image))


def test_image_too_large_for_float32(tmp_path: Path) -> None:
    image = voxels(np.float64)
    image[0, 0, 0] = 1e300
    assert "NaN or infinite" in refusal(save(tmp_path / "a.nii.gz", image))


def test_cine_file_is_not_a_volume_but_a_last_axis_of_one_is(tmp_path: Path) -> None:
    """ACDC's ``_4d.nii.gz`` taken for a frame would be thirty hearts in one."""
    cine = save(tmp_path / "4d.nii.gz", voxels(shape=(2, *SHAPE)))
    for read in (read_image, read_labels):
        assert "one 3D volume" in refusal(cine, read)
    single = save(tmp_path / "single.nii.gz", voxels(shape=(1, *SHAPE)))
    assert np.array_equal(read_image(single)[0], voxels(np.float32))


def test_flat_file_is_not_a_volume(tmp_path: Path) -> None:
    image: Any = nibabel.Nifti1Image(np.zeros((4, 5), np.int16), LIE)
    nibabel.save(image, tmp_path / "a.nii.gz")
    assert "one 3D volume" in refusal(tmp_path / "a.nii.gz")


def test_channels_of_a_4d_file_in_their_order(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", voxels(shape=(2, *SHAPE)))
    image, _ = read_channels(path, most=2)
    assert np.array_equal(image, voxels(np.float32, (2, *SHAPE)))
    three = save(tmp_path / "b.nii.gz", voxels(shape=(3, *SHAPE)))
    assert "3 channels, expected 2" in refusal(three, lambda file: read_channels(file, most=2))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_labels_of_any_type_are_the_same_labels(dtype: Any, tmp_path: Path) -> None:
    labels, _ = read_labels(save(tmp_path / "a.nii.gz", (voxels() % 4).astype(dtype)))
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, voxels() % 4)


@pytest.mark.parametrize("value", [0.5, -1.0, 256.0, 3e9, np.nan, np.inf])
def test_labels_that_are_not_whole_numbers_of_a_byte(value: float, tmp_path: Path) -> None:
    """Resampled or damaged label maps; 256 taken for a byte would be background."""
    labels = (voxels() % 4).astype(np.float32)
    labels[2, 1, 0] = value
    assert "not integers from 0 to 255" in refusal(
        save(tmp_path / "a.nii.gz", labels), read_labels, LabelError
    )


@pytest.mark.parametrize("value", [-1, 256])
def test_integer_labels_do_not_wrap_around(value: int, tmp_path: Path) -> None:
    refusal(save(tmp_path / "a.nii.gz", np.full(SHAPE, value, np.int16)), read_labels, LabelError)


def test_foreign_labels_are_named(tmp_path: Path) -> None:
    image = save(tmp_path / "a.nii.gz", voxels())
    labels = save(tmp_path / "a_gt.nii.gz", (voxels() % 6).astype(np.uint8))
    line = refusal(labels, lambda file: read_volume([image], file, [1, 2, 3]), LabelError)
    assert "label values [4, 5] are not among [0, 1, 2, 3]" in line


def test_labels_on_another_grid(tmp_path: Path) -> None:
    """Else scores are of voxels that do not belong together; rounding is no other grid."""
    image = save(tmp_path / "a.nii.gz", voxels())

    def volume(file: Path) -> Any:
        return read_volume([image], file, [1])

    turned = save(tmp_path / "turned.nii.gz", np.zeros((3, 4, 5), np.uint8))
    assert "shape (3, 4, 5), a.nii.gz has (3, 5, 4)" in refusal(turned, volume, GridError)
    coarse = save(tmp_path / "coarse.nii.gz", np.zeros(SHAPE, np.uint8), (10.0, 1.5, 1.5))
    assert "has spacing (10.0, 1.5, 1.5) mm" in refusal(coarse, volume, GridError)
    rounded = save(tmp_path / "rounded.nii.gz", np.zeros(SHAPE, np.uint8), (10.0, 1.5, 1.2503))
    assert volume(rounded).spacing_mm == SPACING_MM


def test_case_reads_nothing_until_asked(tmp_path: Path) -> None:
    """Listing cases of a large dataset must not open its files, and a missing one is told by its path."""
    image, labels = tmp_path / "a.nii.gz", tmp_path / "a_gt.nii.gz"
    case = nifti_case("a_ED", "a", "ED", [image], labels, [1], group="NOR", part="test")
    assert case.files == (image, labels)
    refusal(image, lambda _: case.read())
    save(image, voxels(np.float32))
    save(labels, voxels(np.uint8) % 2)
    volume = case.read()
    assert volume.image.shape == (1, *SHAPE)
    assert volume.labels is not None
    assert np.array_equal(volume.labels, voxels() % 2)


def test_without_labels_there_are_none(tmp_path: Path) -> None:
    assert read_volume([save(tmp_path / "a.nii", voxels())], None, [1]).labels is None


def test_written_labels_are_read_back_and_equal_labels_are_equal_files(tmp_path: Path) -> None:
    labels = voxels(np.uint8) % 4
    for name in ("a", "b"):
        write_labels(tmp_path / "out" / f"{name}.nii.gz", labels, spacing_mm=SPACING_MM)
    first, second = sorted((tmp_path / "out").iterdir())
    assert first.read_bytes() == second.read_bytes()
    # Time and name would differ between runs: the gzip header has neither (RFC 1952: MTIME, FLG).
    assert first.read_bytes()[3:8] == b"\0\0\0\0\0"
    read, spacing = read_labels(first)
    assert np.array_equal(read, labels)
    assert spacing == affine_spacing(first) == SPACING_MM


def test_written_labels_lie_on_the_image_in_a_viewer(tmp_path: Path) -> None:
    """All of the header that places voxels is the image's own, lying affine included."""
    image: Any = nibabel.Nifti1Image(voxels(np.float32).T, LIE)
    image.header.set_zooms(SPACING_MM[::-1])
    image.header.set_xyzt_units("mm", "sec")
    image.header["descrip"] = b"made"
    image.header.set_slope_inter(2.0, 5.0)
    nibabel.save(image, tmp_path / "a.nii.gz")
    labels = voxels(np.uint8) % 4
    write_labels(tmp_path / "b.nii.gz", labels, like=tmp_path / "a.nii.gz")
    theirs: Any = nibabel.load(tmp_path / "a.nii.gz")
    ours: Any = nibabel.load(tmp_path / "b.nii.gz")
    for field in set(theirs.header) - {"datatype", "bitpix", "scl_slope", "scl_inter"}:
        assert ours.header[field].tobytes() == theirs.header[field].tobytes(), field
    assert np.array_equal(ours.affine, theirs.affine)
    assert ours.get_data_dtype() == np.uint8
    read, spacing = read_labels(tmp_path / "b.nii.gz")
    assert np.array_equal(read, labels)
    assert spacing == SPACING_MM


def test_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.nii.gz"
    write_labels(path, np.zeros(SHAPE, np.uint8))
    before = path.read_bytes()

    def interrupted(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gzip.GzipFile, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_labels(path, np.ones(SHAPE, np.uint8))
    assert [file.name for file in tmp_path.iterdir()] == ["a.nii.gz"]
    assert path.read_bytes() == before


def test_a_label_map_that_is_mirrored_to_its_image_is_refused(tmp_path: Path) -> None:
    """Same shape, same spacing, flipped arrays: what MONAI and nibabel write as RAS."""
    labels = voxels(np.uint8) % 4
    affine = np.diag([-1.25, -1.5, 10.0, 1.0])
    image, right = tmp_path / "image.nii.gz", tmp_path / "right.nii.gz"
    for path, array in ((image, voxels()), (right, labels)):
        nibabel.save(nibabel.Nifti1Image(array.T, affine), path)
    turned: Any = nibabel.load(right)
    nibabel.save(nibabel.as_closest_canonical(turned), tmp_path / "turned.nii.gz")
    assert np.array_equal(read_volume([image], right, [1, 2, 3]).labels, labels)
    line = refusal(tmp_path / "turned.nii.gz", lambda path: read_volume([image], path, [1, 2, 3]), GridError)
    assert "its axes point to RAS, those of image.nii.gz to LPS" in line


def test_files_that_do_not_say_where_their_axes_point_pass(tmp_path: Path) -> None:
    image = save(tmp_path / "image.nii.gz", voxels())
    labels: Any = nibabel.Nifti1Image((voxels(np.uint8) % 4).T, np.eye(4))
    labels.header.set_zooms(SPACING_MM[::-1])
    labels.set_sform(None, 0)
    labels.set_qform(None, 0)
    nibabel.save(labels, tmp_path / "labels.nii.gz")
    assert read_volume([image], tmp_path / "labels.nii.gz", [1, 2, 3]).labels is not None
