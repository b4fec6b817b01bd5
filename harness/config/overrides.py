"""``--set KEY=VALUE``: change one value of harness.toml for one command."""

from __future__ import annotations

import tomllib
from typing import Any

from harness.errors import ConfigError

ROOTS = ("protocol", "leaderboard")
DIMS = ("2d", "3d")


def for_each(value: Any) -> dict[str, Any]:
    """One value that stands for both, written out: where one dimension changes, the other keeps it."""
    return dict.fromkeys(DIMS, value)


def parse_value(text: str) -> Any:
    """`text` as a TOML value (``3``, ``true``, ``[0, 1]``, ``"x"``), else as a plain string.

    Between quotes of either sort stands a text as it is: ``"\\d+"`` is a pattern, not an escape.
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
            f"'{text}' is not KEY=VALUE", where="--set", remedy="Say for example protocol.epochs=2."
        )
    if path[0] not in ROOTS or len(path) < 2:
        raise ConfigError(
            f"'{key}' starts with neither 'protocol.' nor 'leaderboard.'",
            where="--set",
            remedy="Both mean those of the leaderboard that is run, for example protocol.epochs=2.",
        )
    return path, parse_value(value.strip())


def assign(table: dict[str, Any], path: list[str], value: Any) -> None:
    """Set ``table[path[0]][path[1]]… = value``, making tables on the way."""
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
