"""Atomic writes, and canonical JSON without NaN."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from harness.errors import HarnessError, ResourceError


def canonical_json(value: object) -> str:
    """The same string for equal values: sorted keys, no spaces; ValueError for NaN and Infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def digest(value: object) -> str:
    """SHA-256 of `value` as canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an OSError while writing `path` into an error of one line."""
    try:
        yield
    except OSError as error:
        # numpy reports a short write in its own words, without an error number.
        if error.errno in (errno.ENOSPC, errno.EDQUOT) or re.search(r"requested and \d+ written", str(error)):
            raise ResourceError(
                "no space left on disk", where=path, remedy="Free some space and run again."
            ) from error
        raise HarnessError(f"can't be written: {error.strerror or error}", where=path) from error


def write_atomic(path: Path, write: Callable[[IO[bytes]], object], *, durable: bool = True) -> None:
    """Let `write` fill a temporary file in the folder of `path`, flush it to disk, rename it to `path`.

    At any moment, `path` is either the old file or the new one, also after a crash. Without `durable` the
    file is not flushed, which is slow on a busy disk; it may then be lost in a power failure.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        try:
            # mkstemp makes files that only their owner can read; records are meant to be shared.
            os.fchmod(handle, 0o666 & ~_umask())
            with os.fdopen(handle, "wb") as file:
                write(file)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            Path(name).replace(path)
            if durable:
                _sync_folder(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power failure, on systems where a folder can be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write `text` to `path` atomically."""
    write_atomic(path, lambda file: file.write(text.encode()), durable=durable)


def write_json(path: Path, value: object, *, durable: bool = True) -> None:
    """Write `value` as readable JSON, atomically; ValueError for NaN and Infinity."""
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    write_text(path, text, durable=durable)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; HarnessError with the place of the error."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise HarnessError(f"can't be read: {error.strerror or error}", where=path) from error
    except ValueError as error:
        raise HarnessError(f"is not JSON: {error}", where=path, remedy="Delete it and run again.") from error
    if not isinstance(value, Mapping):
        raise HarnessError("is not a JSON object", where=path, remedy="Delete it and run again.")
    return dict(value)
