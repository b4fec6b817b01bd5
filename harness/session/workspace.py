"""What a session works with: harness.toml, plugins, the roots of datasets, and the folder of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.find import find_file, nearest_file
from harness.errors import ConfigError, nearest

if TYPE_CHECKING:
    from harness.config.load import Project
    from harness.plugins.manager import Registry
    from harness.store.runs import RunsFolder

HARNESS_PLUGINS = "harness_plugins.py"


@dataclass(frozen=True)
class Workspace:
    """A project and how it was opened.

    `config` is a harness.toml; without it, the nearest one in the current folder or above counts. `data`
    are the roots of datasets by name, `runs_path` is the folder of runs (default: ``runs/`` beside
    harness.toml). `overrides` are ``KEY=VALUE`` strings that apply to every leaderboard.
    """

    config: Path | None = None
    data: Mapping[str, Path] = field(default_factory=dict)
    runs_path: Path | None = None
    extra_plugin_files: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()

    @cached_property
    def file(self) -> Path:
        """harness.toml; ConfigError if there is none."""
        return self.config if self.config is not None else find_file(Path.cwd())

    @cached_property
    def has_project(self) -> bool:
        """Whether there is a harness.toml."""
        return self.config is not None or nearest_file(Path.cwd()) is not None

    @cached_property
    def plugin_files(self) -> tuple[Path, ...]:
        """The project's own ``harness_plugins.py``, then the files that were named."""
        if not self.has_project:
            return self.extra_plugin_files
        beside = self.file.parent / HARNESS_PLUGINS
        return (*((beside,) if beside.is_file() else ()), *self.extra_plugin_files)

    @cached_property
    def registry(self) -> Registry:
        """The plugins, loaded once."""
        from harness.plugins import manager

        return manager.load(self.plugin_files)

    @property
    def project(self) -> Project:
        """harness.toml as it is now, without overrides."""
        from harness.config.load import load

        return load(self.file)

    @property
    def runs(self) -> RunsFolder:
        """The folder of runs, which need not exist yet."""
        from harness.store.runs import RunsFolder

        return RunsFolder(self.runs_path if self.runs_path is not None else self.file.parent / "runs")

    @property
    def existing_runs(self) -> RunsFolder:
        """The folder of runs; ConfigError if there is none."""
        runs = self.runs
        if not runs.path.is_dir():
            raise ConfigError(
                "no such folder of runs", where=runs.path, remedy="Give --runs DIR, or first: harness run"
            )
        return runs

    @cached_property
    def data_roots(self) -> Mapping[str, Path]:
        """`data`; ConfigError for the name of a dataset that no plugin registers."""
        return checked_roots(self.data, self.registry)


def listed(what: str, values: Sequence[str]) -> tuple[str, ...]:
    """`values` as a tuple; ConfigError for one string, whose letters would count as values."""
    if isinstance(values, str):
        raise ConfigError(f"{what} is the string {values!r}", remedy=f"Write [{values!r}].")
    return tuple(values)


def checked_roots(data: Mapping[str, Path], registry: Registry) -> Mapping[str, Path]:
    """`data` with ``~`` expanded; ConfigError for the name of a dataset that no plugin registers."""
    known = {plugin.record.name for plugin in registry.match("dataset", "*")}
    _check_names(data, known)
    return {name: path.expanduser() for name, path in data.items()}


def _check_names(names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"no dataset '{name}'", where="--data", remedy=nearest(name, known))
