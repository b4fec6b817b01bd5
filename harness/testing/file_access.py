"""Record which files Python code opens, with an audit hook that is installed once."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_recordings: list[list[str]] = []
_installed: list[bool] = []


def _record(event: str, arguments: tuple[object, ...]) -> None:
    if not _recordings or event != "open" or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    flags = arguments[2]
    if isinstance(flags, int) and flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR) == os.O_WRONLY:
        return
    for paths in _recordings:
        paths.append(os.fsdecode(arguments[0]))


@contextlib.contextmanager
def opened_files() -> Iterator[list[str]]:
    """Collect the paths that any thread opens for reading; files opened by C code are not seen."""
    if not _installed:
        # There is no way to remove an audit hook.
        sys.addaudithook(_record)
        _installed.append(True)
    paths: list[str] = []
    _recordings.append(paths)
    try:
        yield paths
    finally:
        _recordings.remove(paths)
