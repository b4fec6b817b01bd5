"""Which files Python code opens: an audit hook that is installed once and listens when asked to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

_listening: list[list[str]] = []
_installed: list[bool] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if _listening and event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        for heard in _listening:
            heard.append(os.fsdecode(arguments[0]))


@contextlib.contextmanager
def opened() -> Iterator[list[str]]:
    """Collect the paths that are opened inside, by whatever thread; those opened in C are not heard."""
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
