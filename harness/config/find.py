"""Find harness.toml. Reading it is in another module, which needs a validation library."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigError

FILE = "harness.toml"


def nearest_file(start: Path) -> Path | None:
    """The nearest harness.toml in `start` or a folder above it; None if there is none."""
    candidates = (folder / FILE for folder in (start, *start.parents))
    return next((file for file in candidates if file.is_file()), None)


def find_file(start: Path) -> Path:
    """The nearest harness.toml in `start` or a folder above it; ConfigError if there is none."""
    file = nearest_file(start)
    if file is None:
        raise ConfigError(
            f"no {FILE} in this folder or above it",
            where=start,
            remedy="Go to a folder that has one, or name it with --config PATH.",
        )
    return file
