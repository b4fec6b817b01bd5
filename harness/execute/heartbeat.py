"""The heartbeat of a run: progress on disk, at most twice a second, and a look at whether to go on at all."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from harness.store.lease import Busy, Held
from harness.store.runs import RunFolder

INTERVAL_S = 0.5

LOOK_S = 2.0
"""How often the folder is asked whether somebody cancelled the run, or took it over."""


class Heartbeat:
    """Writes `progress.json`, and ends a run that nobody wants.

    KeyboardInterrupt when the run was cancelled, or the process that wanted it is gone; Busy when
    another process took this one for dead and works on the run now.
    """

    def __init__(self, folder: RunFolder, parent: int | None, held: Held) -> None:
        self._folder = folder
        self._parent = parent
        self._held = held
        self._looked = 0.0
        self._figures: dict[str, Any] = {}
        self._last = 0.0

    def beat(self, figures: Mapping[str, Any], *, now: bool = False) -> None:
        """Add `figures` to what is known; write it if it is time, or `now`."""
        self._figures.update(figures)
        moment = time.monotonic()
        if not now and moment - self._last < INTERVAL_S:
            return
        self._last = moment
        if moment - self._looked > LOOK_S or now:
            self._looked = moment
            self.check()
        self._folder.beat({**self._figures, "pid": os.getpid(), "host": socket.gethostname()})
        if self._parent is not None and os.getppid() != self._parent:
            # Otherwise a killed `harness run` would leave a worker that nobody watches.
            raise KeyboardInterrupt

    def note(self, text: str) -> None:
        """Tell whoever watches, once."""
        notes = self._figures.get("notes", [])
        if text not in notes:
            self.beat({"notes": [*notes, text]}, now=True)

    def check(self) -> None:
        """Stop here if the run is no longer ours, or no longer wanted."""
        if self._held.lost:
            raise Busy("was taken over by another process", where=self._folder.id)
        if self._folder.cancelled():
            raise KeyboardInterrupt
