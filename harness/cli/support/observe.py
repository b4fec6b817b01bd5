"""``--observe NAME=PLACE``: where observers of a run report to."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError, nearest

if TYPE_CHECKING:
    from harness.config.load import Project

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
"""At least two letters: ``C:`` is a drive."""


def add_observe(parser: argparse.ArgumentParser) -> None:
    """The argument."""
    parser.add_argument(
        "--observe",
        metavar="NAME=PLACE",
        action="append",
        default=[],
        help="report runs to a folder or URI, for example tensorboard=DIR or mlflow=DIR (repeatable)",
    )


def observers(texts: Iterable[str], project: Project, known: Iterable[str]) -> dict[str, str]:
    """Places by observer, harness.toml's and those in `texts`, which win; folders are absolute.

    ConfigError for a name that is not among the `known` plugins with hooks for observers.
    """
    names = sorted(known)
    places = {}
    for name, place in project.settings.observers.items():
        _check(name, names, f"{project.file}: [observers]")
        places[name] = _absolute(place, project.root)
    for text in texts:
        name, equals, place = text.partition("=")
        if not equals or not name or not place:
            raise ConfigError(
                f"'{text}' is not NAME=PLACE", where="--observe", remedy="Say for example tensorboard=DIR."
            )
        _check(name, names, "--observe")
        places[name] = _absolute(place, Path.cwd())
    return places


def _check(name: str, known: list[str], where: str) -> None:
    if name not in known:
        raise ConfigError(f"no plugin '{name}' observes runs", where=where, remedy=nearest(name, known))


def _absolute(place: str, base: Path) -> str:
    return place if _URI.match(place) else str(base.absolute() / Path(place).expanduser())
