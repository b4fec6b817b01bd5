"""A worker in this very process, so that a debugger can look at what failed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import INTERRUPTED
from harness.execute.debugger import post_mortem
from harness.execute.failure import package_at_fault
from harness.execute.local import worker_environment
from harness.execute.worker import work


class Inline:
    """An executor whose `submit` returns when the run has ended."""

    def submit(self, folder: Path) -> int:
        """Carry out the run, and open the debugger if it fails; gives the worker's exit code."""
        os.environ.update(worker_environment())
        code = work(folder, failed=_debug)
        if code == INTERRUPTED:
            raise KeyboardInterrupt
        return code

    def poll(self, worker: int) -> int:
        """The exit code."""
        return worker

    def cancel(self, worker: int) -> None:
        """It has ended already."""


def _debug(error: Exception, spec: Mapping[str, Any]) -> None:
    post_mortem(error, package_at_fault(error, spec))
