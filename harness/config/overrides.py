"""``--set KEY=VALUE``: change one value of harness.toml for one command."""

from __future__ import annotations

import tomllib
from typing import Any

from harness.errors import ConfigError

ROOTS = ("protocol", "leaderboard")
DIMS = ("2d", "3d")


def for_each(value: Any) -> dict[str, Any]:
    """One value for 2D and 3D as a table, so that one of them can be changed."""
    return dict.fromkeys(DIMS, value)


def parse_value(text: str) -> Any:
    """`text` as a TOML value (``3``, ``true``, ``[0, 1]``, ``"x"``), else as a plain string.

    A string in single or double quotes is taken literally: ``"\\d+"`` is a pattern, not an escape.
    """
    quote, inside = text[:1], text[1:-1]
    if quote in ("'", '"') and len(text) > 1 and text.endswith(quote) and quote not in inside:
        return inside
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def split_assignment(text: str) -> tuple[list[str], Any]:
    """``protocol.epochs.2d=3`` -> (["protocol", "epochs", "2d"], 3)."""
    key, equals, value = text.partition("=")
    path = [step.strip() for step in key.split(".")]
    if not equals or not all(path):
        raise ConfigError(
            f"'{text}' is not KEY=VALUE", where="--set", remedy="Write for example protocol.epochs=2."
        )
    if path[0] not in ROOTS or len(path) < 2:
        raise ConfigError(
            f"'{key}' must start with 'protocol.' or 'leaderboard.'",
            where="--set",
            remedy="Name a value of the leaderboard or of its protocol, for example protocol.epochs=2.",
        )
    return path, parse_value(value.strip())


def assign(table: dict[str, Any], path: list[str], value: Any) -> None:
    """Set ``table[path[0]][path[1]]… = value``, creating tables where needed."""
    *parents, last = path
    for index, step in enumerate(parents):
        below = (path[index + 1]) if index + 1 < len(path) else ""
        inner = table.get(step, {})
        if not isinstance(inner, dict):
            if below not in DIMS:
                raise ConfigError(f"'{step}' is a value, not a table", where=f"--set {'.'.join(path)}")
            inner = for_each(inner)
        table[step] = inner = dict(inner)
        table = inner
    table[last] = value
