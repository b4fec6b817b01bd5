"""The heartbeat of a run: progress on disk, at most twice a second, and a look at who is waiting for it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from harness.store.runs import RunFolder

INTERVAL_S = 0.5


class Heart:
    """Writes `progress.json`; raises KeyboardInterrupt when the process that wanted the run is gone."""

    def __init__(self, folder: RunFolder, attempts: int, parent: int | None) -> None:
        self._folder = folder
        self._parent = parent
        self._figures: dict[str, Any] = {"attempts": attempts}
        self._last = 0.0

    def beat(self, figures: Mapping[str, Any], *, now: bool = False) -> None:
        """Add `figures` to what is known; write it if it is time, or `now`."""
        self._figures.update(figures)
        moment = time.monotonic()
        if not now and moment - self._last < INTERVAL_S:
            return
        self._last = moment
        self._folder.beat({**self._figures, "pid": os.getpid()})
        if self._parent is not None and os.getppid() != self._parent:
            # Otherwise a killed `harness run` would leave a worker that nobody watches.
            raise KeyboardInterrupt
