"""Runs in the process that asked for them: for a debugger, and for profiling."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.errors import INTERRUPTED
from harness.execute.executor import Answer, Count, Job, ResourceRequest
from harness.execute.local import worker_environment
from harness.store.runs import RunFolder

if TYPE_CHECKING:
    from harness.execute.worker import Failed


class Inline:
    """One run after the other, in this process. A run that is ended by force ends the command too.

    `failed(error, spec)` is called for a run that fails, while its frames are still there: for a debugger.
    """

    poll_s = 0.0
    leaves = False

    def __init__(self, jobs: Count | None = None, *, failed: Failed | None = None) -> None:
        self._failed = failed
        self._codes: dict[str, int] = {}

    def room(self, need: ResourceRequest) -> int:
        """One unless the last run's end was not yet asked for: `submit` comes back when a run is over."""
        return int(not self._codes)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Carry out the runs."""
        return [self._carry_out(job) for job in jobs]

    def _carry_out(self, job: Job) -> str:
        from harness.execute.worker import work

        os.environ.update(worker_environment())
        handle = job.folder.name
        code = work(job.folder, timeout_s=job.timeout_s, failed=self._failed)
        if code == INTERRUPTED and not RunFolder(job.folder).cancelled():
            # This process was asked to stop, by Ctrl-C or in the debugger.
            raise KeyboardInterrupt
        self._codes[handle] = code
        return handle

    def poll(self, handle: str) -> Answer:
        """The exit code that the worker's process would have had."""
        if handle not in self._codes:
            return Answer("lost", detail="another command ran it")
        return Answer("ended", self._codes.pop(handle))

    def cancel(self, handle: str) -> None:
        """Nothing runs while this could be called."""

    def close(self) -> None:
        """Nothing is held."""
