"""An executor that executes runs in its own process: for a debugger, and for profiling."""

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
    """One run after the other, in this process. Killing a run kills the command too.

    `failed(error, spec)` is called for a run that fails, while its frames still exist: for a debugger.
    """

    poll_s = 0.0
    leaves = False

    def __init__(self, jobs: Count | None = None, *, failed: Failed | None = None) -> None:
        self._failed = failed
        self._codes: dict[str, int] = {}

    def room(self, need: ResourceRequest) -> int:
        """One, or none while `poll` was not asked for the last run: `submit` returns when a run has ended."""
        return int(not self._codes)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Execute the runs, one after the other; their handles are their ids."""
        return [self._work(job) for job in jobs]

    def _work(self, job: Job) -> str:
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
        """Do nothing: no run is active when this is called."""

    def close(self) -> None:
        """Do nothing."""
