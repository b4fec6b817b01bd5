"""A plugin with parameters, as written in harness.toml and after ``-m -l -d``: ``unet2d[base=8]``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from harness.config.overrides import parse_value
from harness.errors import ConfigError, PluginError, nearest
from harness.plugins.manager import Registered, Registry
from harness.plugins.records import Kind, Plugin


@dataclass(frozen=True)
class Choice:
    """A registered plugin and all its parameters, defaults filled in.

    `plugin` is None for a name that a leaderboard lists but that is not registered: its records can still be
    shown.
    """

    plugin: Registered | None
    params: Mapping[str, Any]
    text: str = ""

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.record.name if self.plugin is not None else parse(self.text)[0]

    @property
    def record(self) -> Plugin:
        """The plugin's record; PluginError if it is not registered."""
        if self.plugin is None:
            raise PluginError("is not registered", where=self.text)
        return self.plugin.record

    @property
    def label(self) -> str:
        """The name, with the parameters that differ from the plugin's defaults."""
        defaults = self.plugin.record.defaults if self.plugin is not None else {}
        changed = {k: v for k, v in sorted(self.params.items()) if k not in defaults or v != defaults[k]}
        inside = ",".join(f"{k}={_text(v)}" for k, v in changed.items())
        return f"{self.name}[{inside}]" if inside else self.name

    def as_spec(self) -> dict[str, Any]:
        """The fields of a `PluginSpec`."""
        record = self.record
        assert self.plugin is not None
        return {
            "name": record.name,
            "label": self.label,
            "version": record.version,
            "target": record.target,
            "params": dict(self.params),
            "distribution": f"{self.plugin.distribution} {self.plugin.version}".strip(),
            "requires": tuple(sorted(record.requires)),
        }


def _text(value: Any) -> str:
    """A value as `parse` reads it: a string without quotes if it is read back as the same string."""
    if not isinstance(value, str):
        return json.dumps(value)
    candidates = (value, f'"{value}"', f"'{value}'")
    return next((text for text in candidates if _same(text, value)), json.dumps(value))


def _same(text: str, value: str) -> bool:
    try:
        return parse(f"name[key={text},next=0]")[1] == {"key": value, "next": 0}
    except ConfigError:
        return False


def parse(text: str) -> tuple[str, dict[str, Any]]:
    """``unet2d[base=8,slices=3]`` -> ("unet2d", {"base": 8, "slices": 3})."""
    name, bracket, inside = text.partition("[")
    if not bracket or "=" not in inside:
        return text, {}
    if not inside.endswith("]"):
        raise ConfigError(f"'{text}' lacks its closing bracket", remedy="Write for example unet2d[base=8].")
    params = {}
    for item in _items(inside[:-1]):
        key, equals, value = item.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"'{item}' in '{text}' is not key=value")
        if key.strip() in params:
            raise ConfigError(f"'{text}' gives {key.strip()} twice")
        params[key.strip()] = parse_value(value.strip())
    return name, params


def _items(text: str) -> list[str]:
    """Split at commas that are inside neither brackets nor a quoted value."""
    items, depth, start, quote, before = [], 0, 0, "", ""
    for index, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"" and before in ("=", "[", ",", "{"):
            # In any other place it is an apostrophe.
            quote = sign
        else:
            depth += (sign in "[{") - (sign in "]}")
            if sign == "," and depth == 0:
                items.append(text[start:index])
                start = index + 1
        before = before if sign.isspace() else sign
    return [*items, text[start:]]


def choose(registry: Registry, kind: Kind, text: str) -> Choice:
    """The plugin that `text` names; PluginError for an unknown name or parameter."""
    name, params = parse(text)
    plugin = registry.get(kind, name)
    defaults = plugin.record.defaults
    unknown = [key for key in params if key not in defaults]
    if unknown:
        raise PluginError(
            f"no parameter '{unknown[0]}'", where=f"{kind} {name}", remedy=nearest(unknown[0], defaults)
        )
    return Choice(plugin, {**defaults, **params})


def _or_absent(registry: Registry, kind: Kind, text: str) -> Choice:
    """The plugin that `text` names, or a choice without one."""
    try:
        return choose(registry, kind, text)
    except PluginError:
        return Choice(None, parse(text)[1], text)


def select(
    registry: Registry,
    kind: Kind,
    listed: Sequence[str],
    patterns: Sequence[str],
    *,
    absent: bool = False,
) -> tuple[list[Choice], list[Choice]]:
    """All choices of a leaderboard, and those that `patterns` select.

    A pattern selects listed choices by name, label or glob, and adds other registered plugins with a matching
    name to the leaderboard. With `absent`, listed names need not be registered: records can be shown without
    the plugins that made them.
    """
    board = [(_or_absent if absent else choose)(registry, kind, text) for text in listed]
    if not patterns:
        return board, board
    selected: list[Choice] = []
    for pattern in patterns:
        name, params = parse(pattern)
        if params:
            matches = [choose(registry, kind, pattern)]
        else:
            matches = [c for c in board if fnmatchcase(c.name, name) or c.label == name]
            names = {choice.name for choice in board}
            matches += [
                choose(registry, kind, other.record.name)
                for other in registry.match(kind, name)
                if other.record.name not in names
            ]
            if not matches:
                # This raises an error that lists the known names, or says why the plugin is broken.
                registry.get(kind, name)
        selected += [choice for choice in matches if choice.label not in {c.label for c in selected}]
    labels = {choice.label for choice in board}
    return board + [choice for choice in selected if choice.label not in labels], selected
