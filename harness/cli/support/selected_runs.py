"""Runs as commands name them that need no plan: by leaderboard and id, in a folder that is seen from here."""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.cli.support import board as boards
from harness.errors import ConfigError, HarnessError, nearest

if TYPE_CHECKING:
    from harness.store.runs import RunsFolder
    from harness.store.status import Status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A leaderboard, runs of it, and where they lie."""
    parser.add_argument("leaderboard", nargs="?", help="only its runs, those with --set included")
    parser.add_argument(
        "--run",
        dest="ids",
        metavar="ID",
        action="append",
        default=[],
        help="only runs whose id or entry matches this glob, such as 'unet3d*' (repeatable)",
    )
    boards.add_runs(parser)


def open_runs(args: argparse.Namespace) -> RunsFolder:
    """The folder of runs; ConfigError where there is none."""
    from harness.store.runs import RunsFolder

    path = args.runs if args.runs is not None else boards.open_project(args).parent / "runs"
    if not path.is_dir():
        raise ConfigError(
            "no such folder of runs", where=path, remedy="Give --runs DIR, or first: harness run"
        )
    return RunsFolder(path)


def statuses(args: argparse.Namespace, runs: RunsFolder) -> list[Status]:
    """The status of every run that was named, by state; ConfigError for a leaderboard without any."""
    from harness.store.status import STATES, damaged, status_of

    found = []
    for folder in runs.all():
        try:
            found.append(status_of(folder))
        except HarnessError as error:
            found.append(damaged(folder, error))
    if args.leaderboard is not None:
        noted = runs.noted(args.leaderboard)
        known = sorted({name for one in found for name in (one.leaderboard, _base(one)) if name})
        found = [
            one for one in found if args.leaderboard in (one.leaderboard, _base(one)) or one.run_id in noted
        ]
        if not found:
            raise ConfigError(
                f"no runs of '{args.leaderboard}'", where=runs.path, remedy=nearest(args.leaderboard, known)
            )
    if args.ids:
        found = [one for one in found if any(_matches(one, glob) for glob in args.ids)]
    return sorted(found, key=lambda one: (STATES.index(one.state), one.leaderboard, one.run_id))


def _base(status: Status) -> str:
    return status.leaderboard.partition("@")[0]


def _matches(status: Status, glob: str) -> bool:
    # Brackets are part of a name here, not a set of characters.
    pattern = glob.replace("[", "[[]")
    return fnmatchcase(status.run_id, pattern) or fnmatchcase(status.name, pattern)
