"""An executor that starts workers as processes of this machine, within its GPUs and its memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from harness.execute.executor import Answer, Count, Job, ResourceRequest
from harness.measure.visible import named_gpus

ALLOCATOR = {
    # Keep freed memory instead of returning it to the system: every training step asks for
    # the same again. 1.1 to 1.4 times the steps a second on the CPU.
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "-1",
    "MALLOC_TOP_PAD_": str(64 * 2**20),
    # cuBLAS needs this for deterministic results.
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}

DEFAULT_MIB = 4096.0
"""Host memory that a run is assumed to need while no run of its model has ended."""

MIB = 2**20


def worker_environment() -> dict[str, str]:
    """The environment of a worker's process; the user's own settings take precedence."""
    return {**ALLOCATOR, **os.environ}


@dataclass
class Worker:
    """A process, the GPUs assigned to it, and the memory reserved for it."""

    process: subprocess.Popen[bytes]
    gpus: tuple[str, ...]
    memory_mib: float


class Local:
    """A pool of worker processes.

    At most `jobs` at once; None means one for each GPU, or one without GPUs. A further run starts only
    if there is memory for it beside what is reserved for the running ones.
    """

    poll_s = 0.2
    leaves = False

    def __init__(self, jobs: Count | None = None) -> None:
        self._gpus = visible_gpus()
        self._jobs = jobs or max(1, len(self._gpus))
        self._workers: dict[str, Worker] = {}

    def room(self, need: ResourceRequest) -> int:
        """One if a job slot and memory for the run are free; the first run always starts."""
        active = [worker for worker in self._workers.values() if worker.process.poll() is None]
        if not active:
            return 1
        if len(active) >= self._jobs:
            return 0
        import psutil

        promised = sum(max(0.0, worker.memory_mib - _used_mib(worker.process.pid)) for worker in active)
        available = psutil.virtual_memory().available / MIB
        return int(available - promised >= (need.memory_mib or DEFAULT_MIB))

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Start a worker on each run's folder; its handle is the process number."""
        return [self._start(job) for job in jobs]

    def _start(self, job: Job) -> str:
        gpus = self._free_gpus(job.need.gpus)
        environment = worker_environment()
        if self._gpus:
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
        cpus = job.need.cpus or (max(1, (os.cpu_count() or 1) // self._jobs) if self._jobs > 1 else None)
        if cpus is not None:
            environment.setdefault("OMP_NUM_THREADS", str(cpus))
        with (job.folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                job.command("--parent", str(os.getpid())),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
            )
        handle = str(process.pid)
        self._workers[handle] = Worker(process, gpus, job.need.memory_mib or DEFAULT_MIB)
        return handle

    def poll(self, handle: str) -> Answer:
        """The exit code of a worker, negative for the signal that ended it."""
        if handle not in self._workers:
            return Answer("lost", detail="another command started it")
        code = self._workers[handle].process.poll()
        return Answer("running") if code is None else Answer("ended", code)

    def cancel(self, handle: str, patience_s: float = 20.0) -> None:
        """Send SIGTERM to a worker, and SIGKILL after `patience_s`."""
        if handle not in self._workers:
            return
        process = self._workers[handle].process
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stop all running workers."""
        for handle in self._workers:
            self.cancel(handle)

    def _free_gpus(self, count: int) -> tuple[str, ...]:
        """The GPUs with the fewest running workers."""
        taken = [
            gpu for worker in self._workers.values() if worker.process.poll() is None for gpu in worker.gpus
        ]
        return tuple(sorted(self._gpus, key=lambda gpu: (taken.count(gpu), self._gpus.index(gpu)))[:count])


def visible_gpus() -> tuple[str, ...]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them, without importing torch."""
    named = named_gpus()
    if named is not None:
        return named
    try:
        import pynvml

        pynvml.nvmlInit()
        try:
            return tuple(str(index) for index in range(pynvml.nvmlDeviceGetCount()))
        finally:
            pynvml.nvmlShutdown()
    except Exception:  # no driver, no library, no permission: no GPUs to assign
        return ()


def _used_mib(pid: int) -> float:
    """Resident memory of a process and its children."""
    import psutil

    total = 0.0
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += one.memory_info().rss / MIB
    return total
