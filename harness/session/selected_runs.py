"""The states of runs in a folder, selected by leaderboard, id and entry, without a plan."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from harness.errors import ConfigError, nearest
from harness.store.runs import RunsFolder
from harness.store.state import RunState
from harness.store.status import Status, status_of


def statuses(runs: RunsFolder, leaderboard: str | None = None, globs: Sequence[str] = ()) -> list[Status]:
    """The status of every selected run, by state.

    `leaderboard` selects its runs, also those made with overrides; `globs` select ids or entries.
    ConfigError for a leaderboard without runs.
    """
    selected = [status_of(folder) for folder in runs.all()]
    if leaderboard is not None:
        noted = runs.noted(leaderboard)
        known = sorted({name for status in selected for name in (status.leaderboard, _base(status)) if name})
        selected = [
            status
            for status in selected
            if leaderboard in (status.leaderboard, _base(status)) or status.run_id in noted
        ]
        if not selected:
            raise ConfigError(
                f"no runs of '{leaderboard}'", where=runs.path, remedy=nearest(leaderboard, known)
            )
    if globs:
        selected = [status for status in selected if any(_matches(status, glob) for glob in globs)]
    order = tuple(RunState)
    return sorted(selected, key=lambda status: (order.index(status.state), status.leaderboard, status.run_id))


def _base(status: Status) -> str:
    return status.leaderboard.partition("@")[0]


def _matches(status: Status, glob: str) -> bool:
    # Brackets are part of a name here, not a set of characters.
    pattern = glob.replace("[", "[[]")
    return fnmatchcase(status.run_id, pattern) or fnmatchcase(status.name, pattern)
