"""``extends = "NAME"``: a protocol that inherits the values of another one and changes some."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.config.overrides import DIMS, for_each
from harness.errors import ConfigError, nearest

KEY = "extends"


def extended(raw: dict[str, Any], file: Path) -> dict[str, Any]:
    """harness.toml as read from `file`, with inherited values filled in; ConfigError for an unknown name."""
    protocols = raw.get("protocol")
    if not isinstance(protocols, dict):
        return raw
    return {**raw, "protocol": {name: _whole(name, protocols, file, ()) for name in protocols}}


def _whole(name: str, protocols: dict[str, Any], file: Path, extending: tuple[str, ...]) -> Any:
    table = protocols[name]
    if not isinstance(table, dict) or KEY not in table:
        return table
    other, where = table[KEY], f"{file} protocol.{name}.{KEY}"
    if other in (*extending, name):
        raise ConfigError(f"'{other}' extends itself", where=where, remedy="Remove one of the references.")
    if not isinstance(other, str) or not isinstance(protocols.get(other), dict):
        raise ConfigError(f"no protocol {other!r}", where=where, remedy=nearest(str(other), protocols))
    changes = {key: value for key, value in table.items() if key != KEY}
    return _merged(_whole(other, protocols, file, (*extending, name)), changes)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """`above` over `below`: tables are merged key by key, any other value is replaced."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if old is not None and not isinstance(old, dict) and isinstance(value, dict) and {*value} <= {*DIMS}:
            old = for_each(old)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged
