"""Which files Python code reads: an audit hook that is installed once and listens when asked to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_listening: list[list[str]] = []
_installed: list[bool] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if not _listening or event != "open" or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    flags = arguments[2]
    if isinstance(flags, int) and flags & (os.O_RDONLY | os.O_WRONLY | os.O_RDWR) == os.O_WRONLY:
        return
    for heard in _listening:
        heard.append(os.fsdecode(arguments[0]))


@contextlib.contextmanager
def opened() -> Iterator[list[str]]:
    """Collect the paths that are opened to be read, by whatever thread; those opened in C are not heard."""
    if not _installed:
        # There is no way to remove an audit hook.
        sys.addaudithook(_hear)
        _installed.append(True)
    heard: list[str] = []
    _listening.append(heard)
    try:
        yield heard
    finally:
        _listening.remove(heard)
