"""Read, override and validate harness.toml; every error is one line."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.config.extends import KEY, extended
from harness.config.overrides import assign, split_assignment
from harness.config.protocol import PerDims, Protocol
from harness.config.settings import LeaderboardSettings, Settings
from harness.errors import ConfigError, HarnessError, and_more, nearest


@dataclass(frozen=True)
class Project:
    """A harness.toml and the folder that it configures."""

    file: Path
    settings: Settings

    @property
    def root(self) -> Path:
        """The folder of harness.toml."""
        return self.file.parent

    def leaderboard(self, name: str) -> tuple[LeaderboardSettings, Protocol]:
        """A leaderboard and its protocol; ConfigError with the nearest name for an unknown one."""
        board = self.settings.leaderboard.get(name)
        if board is None:
            raise ConfigError(
                f"no leaderboard '{name}'", where=self.file, remedy=nearest(name, self.settings.leaderboard)
            )
        protocol = self.settings.protocol.get(board.protocol)
        if protocol is None:
            raise ConfigError(
                f"leaderboard '{name}' uses protocol '{board.protocol}', which does not exist",
                where=self.file,
                remedy=nearest(board.protocol, self.settings.protocol),
            )
        return board, protocol

    def dataset_root(self, name: str, data_roots: Mapping[str, Path]) -> Path | None:
        """The folder of dataset `name`: from ``--data``, else HARNESS_<NAME>_ROOT, else harness.toml."""
        if name in data_roots:
            return data_roots[name]
        variable = "HARNESS_" + re.sub(r"\W", "_", name).upper() + "_ROOT"
        if os.environ.get(variable):
            return Path(os.environ[variable])
        settings = self.settings.datasets.get(name)
        return None if settings is None else self.root / settings.root.expanduser()


def load(file: Path, leaderboard: str | None = None, overrides: Sequence[str] = ()) -> Project:
    """Read `file` and apply `overrides` to `leaderboard` and its protocol. ConfigError in one line."""
    try:
        raw: dict[str, Any] = tomllib.loads(file.read_text())
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror}", where=file) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"is not valid TOML: {error}", where=file) from error
    raw = extended(raw, file)
    if overrides:
        raw = _overridden(raw, file, leaderboard, overrides)
    try:
        return Project(file, Settings.model_validate(raw))
    except ValidationError as error:
        raise ConfigError(_one_line(error), where=file) from error


def _overridden(
    raw: dict[str, Any], file: Path, leaderboard: str | None, overrides: Sequence[str]
) -> dict[str, Any]:
    if leaderboard is None:
        raise ConfigError("needs a leaderboard to apply to", where="--set")
    name = load(file).leaderboard(leaderboard)[0].protocol
    for text in overrides:
        (root, *rest), value = split_assignment(text)
        assign(raw, [root, leaderboard if root == "leaderboard" else name, *rest], value)
    return raw


def _one_line(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    first = problems[0]
    inner = first.get("ctx", {}).get("error")
    path = [str(step) for step in first["loc"]]
    if first["type"] == "extra_forbidden":
        known = _fields_at(path[:-1])
        line = f"unknown key '{'.'.join(path)}'. {nearest(path[-1], known)}"
    elif first["type"] == "missing":
        line = f"'{'.'.join(path)}' is missing"
    elif isinstance(inner, HarnessError | ValueError):
        line = f"'{'.'.join(path)}': {inner}"
    else:
        line = f"'{'.'.join(path)}' = {first['input']!r}: {first['msg']}"
    return line + and_more(len(problems) - 1)


def _fields_at(path: Iterable[str]) -> list[str]:
    """The keys that the table at `path` of harness.toml may have."""
    model: type[BaseModel] = Settings
    named = False
    for step in path:
        if named:
            named = False
            continue
        info = model.model_fields.get(step)
        if info is None:
            return []
        inner = info.annotation
        if getattr(inner, "__origin__", None) is dict:
            inner, named = inner.__args__[1], True  # type: ignore[union-attr]  # a dict annotation has two
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    if issubclass(model, PerDims):
        return ["2d", "3d"]
    return [*model.model_fields, *([KEY] if model is Protocol else [])]
