"""The heartbeat of a run: writes its progress to disk, and checks whether the run should continue."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from harness.store.lease import Busy, Held
from harness.store.runs import RunFolder

INTERVAL_S = 0.5

CHECK_S = 2.0
"""The interval at which the worker checks whether the run was cancelled or taken over."""


class Heartbeat:
    """Writes `progress.json`, at most twice a second, and stops a run that should not continue.

    KeyboardInterrupt if the run was cancelled, or its parent process is gone; Busy if another process
    considered this one dead and has taken the run over.
    """

    def __init__(self, folder: RunFolder, parent: int | None, held: Held) -> None:
        self._folder = folder
        self._parent = parent
        self._held = held
        self._checked = 0.0
        self._figures: dict[str, Any] = {}
        self._last = 0.0

    def beat(self, figures: Mapping[str, Any], *, now: bool = False) -> None:
        """Update the progress with `figures`; write it if the interval is over, or `now`."""
        self._figures.update(figures)
        moment = time.monotonic()
        if not now and moment - self._last < INTERVAL_S:
            return
        self._last = moment
        if moment - self._checked > CHECK_S or now:
            self._checked = moment
            self.check()
        self._folder.beat({**self._figures, "pid": os.getpid(), "host": socket.gethostname()})
        if self._parent is not None and os.getppid() != self._parent:
            # Otherwise a killed `harness run` would leave its workers running.
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        """Add a note for the user, once."""
        notes = self._figures.get("notes", [])
        if text not in notes:
            self.beat({"notes": [*notes, text]}, now=True)

    def check(self) -> None:
        """Raise if this process has lost the run, or the run was cancelled."""
        if self._held.lost:
            raise Busy("was taken over by another process", where=self._folder.id)
        if self._folder.cancelled():
            raise KeyboardInterrupt
