"""Rebuilding tables as runs end, in a small share of the time."""

from __future__ import annotations

import time

from harness.errors import HarnessError
from harness.session.open_leaderboard import OpenLeaderboard
from harness.session.rebuild import rebuild

SHARE = 0.02
"""The largest share of the time that rebuilding may take."""


class PeriodicRebuild:
    """Rebuilds a leaderboard's tables after a run, unless that would exceed `SHARE`."""

    def __init__(self, board: OpenLeaderboard) -> None:
        self._board = board
        self._not_before = 0.0

    def run_ended(self) -> None:
        """Rebuild if it is time. An error in the tables is reported at the end, not between runs."""
        begun = time.monotonic()
        if begun < self._not_before:
            return
        try:
            rebuild(self._board)
        except HarnessError:
            return
        finally:
            ended = time.monotonic()
            self._not_before = ended + (ended - begun) / SHARE
