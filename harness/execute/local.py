"""Workers as processes of this machine. An executor carries a path and an exit code, no more."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

ALLOCATOR = {
    # Keep freed memory instead of returning it to the system: every training step asks for
    # the same again. 1.1 to 1.4 times the steps a second on the CPU.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "-1",
    "MALLOC_TOP_PAD_": str(64 * 2**20),
    # Wanted by cuBLAS before it promises the same bits twice.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}


def worker_environment() -> dict[str, str]:
    """What a worker's process is started with; the user's own settings win."""
    return {**ALLOCATOR, **os.environ}


class Executor(Protocol):
    """Where workers run. What `submit` gives is handed back to the others as it is."""

    def submit(self, folder: Path) -> Any: ...

    def poll(self, worker: Any) -> int | None: ...

    def cancel(self, worker: Any) -> None: ...


class Local:
    """Submit, poll and cancel workers on this machine."""

    def submit(self, folder: Path) -> subprocess.Popen[bytes]:
        """Start a worker on a run's folder."""
        command = [sys.executable, "-P", "-m", "harness", "worker", str(folder), "--parent", str(os.getpid())]
        with (folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=worker_environment(),
            )

    def poll(self, worker: subprocess.Popen[bytes]) -> int | None:
        """The exit code of a worker, None while it runs; negative: the signal that ended it."""
        return worker.poll()

    def cancel(self, worker: subprocess.Popen[bytes], patience_s: float = 20.0) -> None:
        """Ask a worker to stop, insist after `patience_s`."""
        with contextlib.suppress(ProcessLookupError):
            worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(patience_s)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
