"""Writes: a reader never sees half a file, and a full disk is one clear line."""

import errno
import json
import os
from pathlib import Path
from typing import IO

import pytest

from harness.errors import HarnessError, ResourceError
from harness.store.atomic import canonical_json, digest, read_json, write_atomic, write_json, write_text


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail(file: IO[bytes]) -> None:
        file.write(b"half")
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        write_atomic(path, fail)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_in_one_line_with_the_place(tmp_path: Path) -> None:
    def full(file: IO[bytes]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ResourceError, match="no space left on disk") as caught:
        write_atomic(tmp_path / "a.txt", full)
    assert str(tmp_path / "a.txt") in str(caught.value)
    assert caught.value.blame == "resource"


def test_files_follow_the_umask_so_that_a_group_can_share_them(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    before = os.umask(0o022)
    try:
        write_text(path, "x")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_nan_or_infinity_reaches_a_file(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"x": value})
    assert list(tmp_path.iterdir()) == []


def test_equal_values_have_one_text_and_one_digest() -> None:
    assert canonical_json({"b": 1, "a": [1.0, None]}) == '{"a":[1.0,null],"b":1}'
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})


@pytest.mark.parametrize("text", ["", "{", "[1]", "null"])
def test_reading_what_is_not_an_object_names_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(HarnessError, match=r"a\.json"):
        read_json(path)


def test_write_json_is_read_back(tmp_path: Path) -> None:
    value = {"é": [1, 2.5, None, {"x": True}]}
    write_json(tmp_path / "deep" / "a.json", value)
    assert read_json(tmp_path / "deep" / "a.json") == value
    assert json.loads((tmp_path / "deep" / "a.json").read_text()) == value
