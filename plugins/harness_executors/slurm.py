"""Runs as Slurm jobs, submitted in arrays by submitit; they outlive the command that submitted them.

A job starts the worker and waits for it. Shortly before its time limit, or when it is preempted, it
asks the worker to stop and requeues itself, and the run continues from its checkpoint.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import submitit
from submitit.core.utils import FailedJobError

from harness.errors import ConfigError, ResourceError
from harness.execute.executor import Answer, Count, Job, ResourceRequest, State
from harness.execute.local import worker_environment
from harness.store.runs import RunFolder

PATIENCE_S = 60.0
"""The time that a worker has to finish its step when it is asked to stop."""

TAIL = 5
"""The number of last lines of a job's log that are shown with a failure."""

QUEUED = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD")
RUNNING = (
    "RUNNING",
    "COMPLETING",
    "CONFIGURING",
    "SUSPENDED",
    "STOPPED",
    "STAGE_OUT",
    "SIGNALING",
    "RESIZING",
)
LOST = ("BOOT_FAIL", "NODE_FAIL", "PREEMPTED", "REVOKED")

STATES: dict[str, State] = {
    **dict.fromkeys(QUEUED, "queued"),
    **dict.fromkeys(RUNNING, "running"),
    **dict.fromkeys(LOST, "lost"),
    "CANCELLED": "cancelled",
}
"""Slurm's states; in all other states a job has ended."""


class Slurm:
    """Slurm jobs, at most `jobs` in the queue at once.

    `time` is a job's limit in minutes; `partition`, `account`, `qos`, `constraint` and `options` (other
    options of sbatch by their long names) are passed to Slurm. `setup` has shell lines to run before the
    worker. `requeues` is how often a job is requeued at its time limit, `warning_s` how long before the
    limit it stops. ConfigError if Slurm's commands are missing.
    """

    leaves = True

    def __init__(
        self,
        jobs: Count | None = None,
        partition: str | None = None,
        account: str | None = None,
        qos: str | None = None,
        constraint: str | None = None,
        time: int = 720,
        setup: Sequence[str] = (),
        options: dict[str, Any] | None = None,
        requeues: int = 20,
        warning_s: int = 120,
        poll_s: float = 10.0,
    ) -> None:
        missing = [name for name in ("sbatch", "squeue", "scancel") if shutil.which(name) is None]
        if missing:
            raise ConfigError(
                f"{', '.join(missing)} not found on this machine",
                where="executor slurm",
                remedy="Run harness on a login node, from which jobs are submitted.",
            )
        self.poll_s = poll_s
        self._jobs = jobs or 100
        self._requeues = requeues
        placement = {"partition": partition, "account": account, "qos": qos, "constraint": constraint}
        self._parameters: dict[str, Any] = {
            **{name: value for name, value in placement.items() if value is not None},
            "time": time,
            "setup": list(setup) or None,
            "signal_delay_s": warning_s,
            "additional_parameters": dict(options or {}),
            "array_parallelism": self._jobs,
            "job_name": "harness",
        }
        self._open: set[str] = set()
        # All jobs of a folder of runs share one folder of logs.
        self._logs: Path | None = None
        self._listed: dict[str, tuple[str, str]] = {}
        self._listed_at = -float("inf")
        self._answered = False

    def room(self, need: ResourceRequest) -> int:
        """The number of further jobs, up to `jobs`."""
        return self._jobs - len(self._open)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Submit one array per resource request; ResourceError with sbatch's message if it fails."""
        handles: dict[int, str] = {}
        for need in dict.fromkeys(job.need for job in jobs):
            places = [place for place, job in enumerate(jobs) if job.need == need]
            try:
                array = self._array([jobs[i] for i in places], need)
            except ResourceError:
                # Without handles, nothing could track the jobs that were accepted before.
                if handles:
                    subprocess.run(["scancel", *handles.values()], capture_output=True, check=False)
                raise
            handles.update(zip(places, array, strict=True))
        self._open.update(handles.values())
        self._listed_at = -float("inf")
        return [handles[place] for place in range(len(jobs))]

    def _array(self, jobs: Sequence[Job], need: ResourceRequest) -> list[str]:
        self._logs = logs(jobs[0].folder)
        executor = submitit.SlurmExecutor(self._logs, max_num_timeout=self._requeues)
        request: dict[str, Any] = {"cpus_per_task": need.cpus}
        if need.gpus and _has_gpus():
            request["gpus_per_node"] = need.gpus
        if need.memory_mib is not None:
            request["mem"] = f"{max(1, round(need.memory_mib))}M"
        executor.update_parameters(**self._parameters, **{k: v for k, v in request.items() if v is not None})
        try:
            with executor.batch():
                submitted = [executor.submit(Work(job.command(), str(job.folder.absolute()))) for job in jobs]
        except (FailedJobError, subprocess.CalledProcessError) as error:
            raise ResourceError(
                f"sbatch failed: {_last_line(str(error))}",
                where="executor slurm",
                remedy="See [executor.slurm] of harness.toml and docs/cluster.md.",
            ) from error
        return [job.job_id for job in submitted]

    def poll(self, handle: str) -> Answer:
        """The state in squeue; for a job that Slurm no longer knows, the result that it left."""
        if time.monotonic() - self._listed_at >= min(self.poll_s, 1.0):
            self._list_jobs()
        if handle not in self._listed and not self._answered:
            # The controller is temporarily unreachable, which does not mean that the job is lost.
            return Answer("queued", detail="Slurm does not answer")
        state, reason = self._listed.get(handle, ("", ""))
        known = STATES.get(state)
        if self._logs is None and state:
            # Another command submitted it: Slurm reports the folder as long as it knows the job.
            self._logs = _logs_of(handle)
        if known in ("queued", "running"):
            self._open.add(handle)
            return Answer(known, detail=reason)
        self._open.discard(handle)
        folder = self._logs
        if known is not None:
            return Answer(known, detail=f"Slurm: {state}")
        code = _result(folder, handle)
        if code is not None:
            return Answer("ended", code)
        if not state:
            return Answer("lost", detail="Slurm no longer knows the job")
        if state == "COMPLETED":
            return Answer("ended", detail=_tail(folder, handle))
        # TIMEOUT, OUT_OF_MEMORY, DEADLINE, FAILED: Slurm killed it, or it did not start.
        exit_code = None if state == "FAILED" else -int(signal.SIGKILL)
        return Answer("ended", exit_code, f"Slurm: {state}. {_tail(folder, handle)}".strip())

    def _list_jobs(self) -> None:
        """Call squeue once for all jobs; if it fails, the previous list is kept."""
        self._listed_at = time.monotonic()
        command = ["squeue", "--noheader", "--array", "--states=all", "--format=%i|%T|%r"]
        done = subprocess.run(
            [*command, f"--user={getpass.getuser()}"], capture_output=True, text=True, check=False
        )
        self._answered = done.returncode == 0
        if self._answered:
            self._listed = {job: (state, reason) for job, state, reason in _fields(done.stdout)}

    def cancel(self, handle: str) -> None:
        """Call scancel, and wait until the job has left its node."""
        subprocess.run(["scancel", handle], capture_output=True, check=False)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self._listed_at = -float("inf")
            if self.poll(handle).state not in ("queued", "running"):
                return
            time.sleep(0.5)

    def close(self) -> None:
        """Do nothing: the jobs stay in Slurm's queue."""


class Work:
    """The function that a job executes, in its process on a node."""

    def __init__(self, command: list[str], folder: str) -> None:
        self.command = command
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> int:
        """Start the worker and return its exit code."""
        with (Path(self.folder) / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=worker_environment(),
            )
        # Not process.wait(): a signal calls `checkpoint` during this loop, which waits for the process too.
        while self.process.poll() is None:
            time.sleep(0.2)
        return self.process.returncode

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """Called by submitit on Slurm's warning: stop the worker and requeue the same work."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            end = time.monotonic() + PATIENCE_S
            while self.process.poll() is None and time.monotonic() < end:
                time.sleep(0.1)
        # The handle stays the same; the run's folder shows that it waits again.
        folder = RunFolder(Path(self.folder))
        submission = folder.submitted()
        if submission is not None:
            folder.submit(submission["executor"], submission["handle"], time.time(), leaves=True)
        return submitit.helpers.DelayedSubmission(Work(self.command, self.folder))


def logs(folder: Path) -> Path:
    """The folder of submitit's files and the jobs' logs."""
    return folder.parent.absolute() / ".slurm"


def _logs_of(handle: str) -> Path | None:
    command = ["scontrol", "show", "job", "--oneliner", handle]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    stderr = re.search(r" StdErr=(.*?\.err)", done.stdout)
    return Path(stderr[1]).parent if stderr else None


def _has_gpus() -> bool:
    """Whether any node has a GPU; otherwise Slurm would reject a job that requests one."""
    done = subprocess.run(["sinfo", "--noheader", "--format=%G"], capture_output=True, text=True, check=False)
    return "gpu" in done.stdout


def _fields(text: str) -> list[tuple[str, str, str]]:
    lines = (line.split("|", 2) for line in text.splitlines())
    return [(job.strip(), state.strip(), reason.strip()) for job, state, reason in lines]


def _result(folder: Path | None, handle: str) -> int | None:
    """The exit code that `Work` returned; None if there is none."""
    if folder is None:
        return None
    job: submitit.SlurmJob[int] = submitit.SlurmJob(folder, handle)
    with contextlib.suppress(Exception):
        kind, value = submitit.core.utils.pickle_load(job.paths.result_pickle)
        return int(value) if kind == "success" else None
    return None


def _tail(folder: Path | None, handle: str) -> str:
    if folder is None:
        return ""
    job: submitit.SlurmJob[int] = submitit.SlurmJob(folder, handle)
    lines = [line.strip() for line in (job.stderr() or "").splitlines() if line.strip()]
    return " / ".join(lines[-TAIL:])


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no reason given"
