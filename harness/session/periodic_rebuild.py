"""Tables that are rebuilt as runs end, at a small share of the runs' time."""

from __future__ import annotations

import time

from harness.errors import HarnessError
from harness.session.open_leaderboard import OpenLeaderboard
from harness.session.rebuild import rebuild

SHARE = 0.02
"""The largest share of the time that rebuilding takes while runs are active."""


class PeriodicRebuild:
    """Rebuilds a leaderboard's tables after a run, unless the last rebuild is too recent for its cost."""

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
