"""What `run`, `plan` and `leaderboard` have in common: a leaderboard and a selection of it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.find import find_file
from harness.errors import ConfigError, nearest

if TYPE_CHECKING:
    from harness.config.load import Project
    from harness.config.protocol import Protocol
    from harness.config.settings import LeaderboardSettings
    from harness.plan.matrix import Matrix, Selection
    from harness.plugins.manager import Registry
    from harness.store.runs import RunsFolder

HARNESS_PLUGINS = "harness_plugins.py"


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Arguments that name a leaderboard and select from it."""
    parser.add_argument("leaderboard", help="a [leaderboard.NAME] of harness.toml")
    for flag, word in (("-m", "model"), ("-l", "loss"), ("-d", "dataset")):
        plural = "losses" if word == "loss" else f"{word}s"
        parser.add_argument(
            flag,
            f"--{word}",
            dest=plural,
            metavar="NAME",
            action="append",
            default=[],
            help=f"only these {plural}: name, glob or name[key=value]; one not listed joins (repeatable)",
        )
    add_common(parser)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Arguments of every command that opens a leaderboard with its data."""
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="change a value, for example protocol.epochs=2 (repeatable)",
    )
    parser.add_argument(
        "--data",
        metavar="NAME=PATH",
        action="append",
        default=[],
        help="where a dataset lies, for example acdc=PATH (repeatable)",
    )
    add_runs(parser)


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Where runs and what is made for them lie."""
    parser.add_argument(
        "--runs", metavar="DIR", type=Path, help="folder of runs (default: runs/ beside harness.toml)"
    )


@dataclass(frozen=True)
class OpenLeaderboard:
    """A leaderboard as one command sees it.

    `title` is the name under which its runs and tables are kept: with anything changed by ``--set``
    it is another leaderboard, and must not overwrite the committed one.
    """

    name: str
    title: str
    project: Project
    settings: LeaderboardSettings
    protocol: Protocol
    registry: Registry
    matrix: Matrix
    runs: RunsFolder
    plugin_files: tuple[Path, ...]

    @property
    def folder(self) -> Path:
        """Where its tables lie."""
        return self.project.root / "leaderboards" / self.title


def open_project(args: argparse.Namespace) -> Path:
    """The harness.toml that the command is about."""
    return args.config if args.config is not None else find_file(Path.cwd())


def plugin_files(args: argparse.Namespace, file: Path) -> tuple[Path, ...]:
    """Files given with -p, and the project's own ``harness_plugins.py``."""
    own = file.parent / HARNESS_PLUGINS
    return (*((own,) if own.is_file() else ()), *args.plugin_files)


def open_board(args: argparse.Namespace, *, absent: bool = False) -> OpenLeaderboard:
    """Load everything that the command's selection needs, except data.

    With `absent`, plugins that a leaderboard lists may be missing: enough to show its records.
    """
    from harness.config.load import load
    from harness.plan.matrix import expand
    from harness.plugins import manager
    from harness.store.atomic import digest
    from harness.store.runs import RunsFolder

    file = open_project(args)
    project = load(file, args.leaderboard, args.overrides)
    settings, protocol = project.leaderboard(args.leaderboard)
    title = args.leaderboard
    if args.overrides:
        changed, written = (
            digest([one.model_dump(mode="json", by_alias=True) for one in pair])
            for pair in ((settings, protocol), load(file).leaderboard(args.leaderboard))
        )
        if changed != written:
            title = f"{args.leaderboard}@{changed[:8]}"
    files = plugin_files(args, file)
    registry = manager.load(files)
    matrix = expand(registry, settings, _selection(args), absent=absent)
    runs = RunsFolder(args.runs if args.runs is not None else project.root / "runs")
    return OpenLeaderboard(
        args.leaderboard, title, project, settings, protocol, registry, matrix, runs, files
    )


def _selection(args: argparse.Namespace) -> Selection:
    from harness.plan.matrix import Selection

    # A command without a selection means everything.
    return Selection(*(getattr(args, name, []) for name in ("models", "losses", "datasets")))


def data_roots(texts: list[str], registry: Registry) -> dict[str, Path]:
    """``["acdc=PATH"]`` -> {"acdc": Path}; ConfigError for a dataset that nobody registers."""
    roots = {}
    known = {plugin.record.name for plugin in registry.match("dataset", "*")}
    for text in texts:
        name, equals, path = text.partition("=")
        if not equals or not name or not path:
            raise ConfigError(
                f"'{text}' is not NAME=PATH", where="--data", remedy="Say for example acdc=PATH."
            )
        if name not in known:
            raise ConfigError(f"no dataset '{name}'", where="--data", remedy=nearest(name, known))
        roots[name] = Path(path).expanduser()
    return roots
