"""Tables that follow the runs, at a small part of their time however many there are."""

from __future__ import annotations

import time

from harness.cli.support.board import OpenLeaderboard
from harness.errors import HarnessError

SHARE = 0.02
"""Rebuilding between runs takes no more of the time than this."""


class Rebuilding:
    """Rebuilds a leaderboard's tables after a run, unless the last time was too short ago for its cost."""

    def __init__(self, board: OpenLeaderboard) -> None:
        self._board = board
        self._not_before = 0.0

    def now_and_then(self) -> None:
        """Rebuild if it is time. What is wrong with the tables is told at the end, not amid the runs."""
        from harness.cli.support.show import rebuild

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
