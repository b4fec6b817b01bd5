"""Entry points of the group ``harness`` among the installed distributions."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from harness.plugins.blame import GUARDED
from harness.plugins.spec import GROUP


@dataclass(frozen=True)
class InstalledEntryPoint:
    """An entry point, or the `error` because of which a distribution's entry points can't be read."""

    distribution: str
    version: str
    entry: metadata.EntryPoint | None
    error: BaseException | None = None


def entry_points() -> list[InstalledEntryPoint]:
    """All entry points of the group, by distribution and name.

    A distribution that is on the path twice (an editable install and its source folder) counts
    once: the copy that ``importlib.metadata`` finds by name is used, as in pip.
    """
    by_distribution: dict[str, list[InstalledEntryPoint]] = {}
    for dist in metadata.distributions():
        # One by one, because importlib.metadata.entry_points() fails as a whole on one bad file.
        text = ""
        with contextlib.suppress(*GUARDED):
            text = dist.read_text("entry_points.txt") or ""
        if GROUP in text:
            name = _name(dist)
            key = re.sub(r"[-_.]+", "-", name).lower()
            if key not in by_distribution:
                by_distribution[key] = list(_of(_used_copy(dist, name), name))
    return [
        entry for key in sorted(by_distribution) for entry in sorted(by_distribution[key], key=_entry_name)
    ]


def _of(dist: metadata.Distribution, name: str) -> Iterator[InstalledEntryPoint]:
    try:
        version = str(dist.version or "")
    except GUARDED:
        version = ""
    try:
        entries = [entry for entry in dist.entry_points if entry.group == GROUP]
    except GUARDED as error:
        yield InstalledEntryPoint(name, version, None, error)
        return
    for entry in dict.fromkeys(entries):
        yield InstalledEntryPoint(name, version, entry)


def _name(dist: metadata.Distribution) -> str:
    try:
        name = dist.metadata["Name"]
    except GUARDED:
        name = None
    return str(name or "a distribution without a name")


def _used_copy(dist: metadata.Distribution, name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return dist


def _entry_name(installed: InstalledEntryPoint) -> str:
    return "" if installed.entry is None else installed.entry.name
