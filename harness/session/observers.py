"""The places that observers of runs report to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from harness.config.load import Project
from harness.errors import ConfigError, nearest

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
"""At least two letters, because ``C:`` is a drive."""


def observer_places(places: Mapping[str, str], project: Project, known: Iterable[str]) -> dict[str, str]:
    """A folder or URI by observer: those of harness.toml, overridden by `places`; folders are absolute.

    ConfigError for a name that is not among the `known` plugins with hooks for observers.
    """
    names = sorted(known)
    absolute = {}
    for written, where, base in (
        (project.settings.observers, f"{project.file}: [observers]", project.root),
        (places, "--observe", Path.cwd()),
    ):
        for name, place in written.items():
            _check(name, names, where)
            absolute[name] = _absolute(place, base)
    return absolute


def _check(name: str, known: list[str], where: str) -> None:
    if name not in known:
        raise ConfigError(f"no plugin '{name}' observes runs", where=where, remedy=nearest(name, known))


def _absolute(place: str, base: Path) -> str:
    return place if _URI.match(place) else str(base.absolute() / Path(place).expanduser())
