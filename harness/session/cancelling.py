"""Cancelling runs on any machine; their checkpoints stay."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import ConfigError
from harness.session.executors import open_executor
from harness.session.selected_runs import statuses
from harness.session.workspace import Workspace
from harness.store.runs import RunsFolder
from harness.store.state import ACTIVE, RunState
from harness.store.status import Status

PATIENCE_S = 30.0
"""The longest wait for runs to stop: each checks every few seconds, between steps that may be long."""


@dataclass(frozen=True)
class CancelOutcome:
    """Ids of runs that were cancelled.

    `stopped` were running or queued. `still_running` did not stop within half a minute and stop at their
    next step. `not_begun` were not running (planned or interrupted); a command that has planned them skips
    them.
    """

    stopped: tuple[str, ...]
    still_running: tuple[str, ...]
    not_begun: tuple[str, ...]


def cancel_runs(
    workspace: Workspace, leaderboard: str | None = None, globs: Sequence[str] = ()
) -> CancelOutcome:
    """Cancel the selected runs, and wait for running ones to stop; ConfigError without a selection."""
    if leaderboard is None and not globs:
        raise ConfigError(
            "no runs are selected", where="cancel", remedy="Name a leaderboard, or runs with --run 'GLOB'."
        )
    runs = workspace.existing_runs
    selected = statuses(runs, leaderboard, globs)
    active = [status for status in selected if status.state in ACTIVE]
    # A command that has planned these would otherwise start them.
    waiting = [
        status.run_id
        for status in selected
        if status.state in (RunState.WAITING, RunState.STOPPED, RunState.OUTDATED)
    ]
    for run_id in (*waiting, *(status.run_id for status in active)):
        runs.run(run_id).cancel()
    _cancel_queued(workspace, [status for status in active if status.state is RunState.QUEUED])
    slow = _wait(runs, [status.run_id for status in active])
    stopped = tuple(status.run_id for status in active if status.run_id not in slow)
    return CancelOutcome(stopped, tuple(slow), tuple(waiting))


def _cancel_queued(workspace: Workspace, queued: Sequence[Status]) -> None:
    """Take jobs out of the queues of the executors that have them."""
    for name in sorted({status.executor for status in queued}):
        executor, _ = open_executor(workspace.registry, workspace.project, name)
        try:
            for status in queued:
                if status.executor == name:
                    executor.cancel(status.handle)
        finally:
            executor.close()


def _wait(runs: RunsFolder, ids: Sequence[str]) -> list[str]:
    """The runs that are still running after `PATIENCE_S`."""
    end = time.monotonic() + PATIENCE_S
    left = [run_id for run_id in ids if runs.run(run_id).busy()]
    while left and time.monotonic() < end:
        time.sleep(0.2)
        left = [run_id for run_id in left if runs.run(run_id).busy()]
    return left
