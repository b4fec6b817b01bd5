"""A leaderboard of harness.toml, opened with its plugins and a selection of its entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.board.assign_records import entry_name
from harness.board.board import Entry
from harness.config.load import Project, load
from harness.config.protocol import Protocol
from harness.config.settings import LeaderboardSettings
from harness.plan.choice import Choice
from harness.plan.data import Data, open_data
from harness.plan.matrix import Matrix, Selection, expand
from harness.plugins.manager import Registry
from harness.session.workspace import Workspace, listed
from harness.store.atomic import digest
from harness.store.runs import RunsFolder


@dataclass(frozen=True)
class OpenLeaderboard:
    """A leaderboard with everything that it needs, except data.

    `title` is the name of its runs and tables: overrides make it another leaderboard, which must not
    overwrite the committed one.
    """

    workspace: Workspace
    name: str
    title: str
    project: Project
    settings: LeaderboardSettings
    protocol: Protocol
    matrix: Matrix

    @property
    def registry(self) -> Registry:
        """The plugins."""
        return self.workspace.registry

    @property
    def runs(self) -> RunsFolder:
        """The folder of runs."""
        return self.workspace.runs

    @property
    def folder(self) -> Path:
        """The folder of its tables."""
        return self.project.root / "leaderboards" / self.title

    @property
    def selected(self) -> frozenset[Entry] | None:
        """The selected entries; None if all are selected."""
        chosen = frozenset(entry_name(entry) for entry in self.matrix.selected)
        return None if chosen == {entry_name(entry) for entry in self.matrix.entries} else chosen

    def open_data(self, choice: Choice, advance: Callable[[int, int], None]) -> Data:
        """Open and split a dataset; `advance(done, total)` is called while it is read for the first time."""
        return open_data(self.project, choice, self.protocol, self.runs, self.workspace.data_roots, advance)


def open_leaderboard(
    workspace: Workspace,
    name: str,
    selection: Selection | None = None,
    *,
    overrides: Sequence[str] = (),
    absent: bool = False,
) -> OpenLeaderboard:
    """Open leaderboard `name`; `overrides` add to those of the workspace.

    With `absent`, plugins that the leaderboard lists may be missing: its records can be shown without
    them. ConfigError for an unknown leaderboard or key, PluginError for an unknown plugin.
    """
    overrides = (*workspace.overrides, *listed("overrides", overrides))
    project = load(workspace.file, name, overrides)
    settings, protocol = project.leaderboard(name)
    title = name
    if overrides:
        changed, written = (
            digest([part.model_dump(mode="json", by_alias=True) for part in pair])
            for pair in ((settings, protocol), workspace.project.leaderboard(name))
        )
        if changed != written:
            title = f"{name}@{changed[:8]}"
    matrix = expand(workspace.registry, settings, selection or Selection(), absent=absent)
    return OpenLeaderboard(workspace, name, title, project, settings, protocol, matrix)
