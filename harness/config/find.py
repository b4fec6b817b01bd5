"""Where harness.toml is; apart from its reading, which needs a validation library."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigError

FILE = "harness.toml"


def nearest_file(start: Path) -> Path | None:
    """The nearest harness.toml in `start` or above; None if there is none."""
    found = (folder / FILE for folder in (start, *start.parents))
    return next((file for file in found if file.is_file()), None)


def find_file(start: Path) -> Path:
    """The nearest harness.toml in `start` or above; ConfigError if there is none."""
    file = nearest_file(start)
    if file is None:
        raise ConfigError(
            f"no {FILE} in this folder or above",
            where=start,
            remedy="Go to a folder that has one, or name it with --config PATH.",
        )
    return file
