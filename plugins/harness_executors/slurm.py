"""Runs as Slurm jobs, submitted in arrays by submitit; they outlive the command that submitted them.

A job starts the worker and waits for it. Shortly before its time limit, or when it is preempted,
it asks the worker to stop and puts itself into the queue again: the run goes on from its checkpoint.
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
"""A worker that is asked to stop may take this long to come to the end of a step."""

TAIL = 5
"""So many last lines of a job's own log go into the reason of a failure."""

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
"""Slurm's states; the others are ends."""


class Slurm:
    """Jobs of Slurm. At most `jobs` are in its queue at once.

    `time` is a job's limit in minutes; `partition`, `account`, `qos`, `constraint` and `options` (more
    of sbatch's, by their long names) are Slurm's own. `setup` are shell lines before a worker starts.
    `requeues` is how often a job that met its time limit is queued again, `warning_s` how long before
    the limit it stops. ConfigError where Slurm's commands are missing.
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
                remedy="Run harness where jobs are submitted, on a login node.",
            )
        self.poll_s = poll_s
        self._jobs = jobs or 100
        self._requeues = requeues
        given = {"partition": partition, "account": account, "qos": qos, "constraint": constraint}
        self._parameters: dict[str, Any] = {
            **{name: value for name, value in given.items() if value is not None},
            "time": time,
            "setup": list(setup) or None,
            "signal_delay_s": warning_s,
            "additional_parameters": dict(options or {}),
            "array_parallelism": self._jobs,
            "job_name": "harness",
        }
        self._open: set[str] = set()
        # One folder of runs has one for all its jobs.
        self._logs: Path | None = None
        self._listed: dict[str, tuple[str, str]] = {}
        self._asked = -float("inf")
        self._answered = False

    def room(self, need: ResourceRequest) -> int:
        """As many as are missing from `jobs`."""
        return self._jobs - len(self._open)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """An array for all jobs with the same needs; ResourceError with sbatch's own words if it refuses."""
        handles: dict[int, str] = {}
        for need in dict.fromkeys(job.need for job in jobs):
            places = [place for place, job in enumerate(jobs) if job.need == need]
            try:
                array = self._array([jobs[i] for i in places], need)
            except ResourceError:
                # Nobody would know of those that were accepted before.
                if handles:
                    subprocess.run(["scancel", *handles.values()], capture_output=True, check=False)
                raise
            handles.update(zip(places, array, strict=True))
        self._open.update(handles.values())
        self._asked = -float("inf")
        return [handles[place] for place in range(len(jobs))]

    def _array(self, jobs: Sequence[Job], need: ResourceRequest) -> list[str]:
        self._logs = logs(jobs[0].folder)
        executor = submitit.SlurmExecutor(self._logs, max_num_timeout=self._requeues)
        asked: dict[str, Any] = {"cpus_per_task": need.cpus}
        if need.gpus and _has_gpus():
            asked["gpus_per_node"] = need.gpus
        if need.memory_mib is not None:
            asked["mem"] = f"{max(1, round(need.memory_mib))}M"
        executor.update_parameters(**self._parameters, **{k: v for k, v in asked.items() if v is not None})
        try:
            with executor.batch():
                submitted = [executor.submit(Work(job.command(), str(job.folder.absolute()))) for job in jobs]
        except (FailedJobError, subprocess.CalledProcessError) as error:
            raise ResourceError(
                f"sbatch refused: {_last_line(str(error))}",
                where="executor slurm",
                remedy="See [executor.slurm] of harness.toml and docs/cluster.md.",
            ) from error
        return [job.job_id for job in submitted]

    def poll(self, handle: str) -> Answer:
        """What squeue says; of a job that Slurm has forgotten, what it left behind."""
        if time.monotonic() - self._asked >= min(self.poll_s, 1.0):
            self._ask()
        if handle not in self._listed and not self._answered:
            # The controller is away for a moment: a job that it was not heard of is not lost.
            return Answer("queued", detail="Slurm does not answer")
        state, reason = self._listed.get(handle, ("", ""))
        known = STATES.get(state)
        if self._logs is None and state:
            # Another command submitted it: Slurm tells where, as long as it knows the job.
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
            return Answer("lost", detail="Slurm does not know the job any more")
        if state == "COMPLETED":
            return Answer("ended", detail=_tail(folder, handle))
        # TIMEOUT, OUT_OF_MEMORY, DEADLINE, FAILED: Slurm ended it by force, or its start failed.
        forced = None if state == "FAILED" else -int(signal.SIGKILL)
        return Answer("ended", forced, f"Slurm: {state}. {_tail(folder, handle)}".strip())

    def _ask(self) -> None:
        """One squeue for all jobs; what it said before stands where it fails."""
        self._asked = time.monotonic()
        command = ["squeue", "--noheader", "--array", "--states=all", "--format=%i|%T|%r"]
        done = subprocess.run(
            [*command, f"--user={getpass.getuser()}"], capture_output=True, text=True, check=False
        )
        self._answered = done.returncode == 0
        if self._answered:
            self._listed = {one: (state, reason) for one, state, reason in _fields(done.stdout)}

    def cancel(self, handle: str) -> None:
        """scancel, and wait until the job has left its node."""
        subprocess.run(["scancel", handle], capture_output=True, check=False)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            self._asked = -float("inf")
            if self.poll(handle).state not in ("queued", "running"):
                return
            time.sleep(0.5)

    def close(self) -> None:
        """Nothing is held: jobs stay in Slurm's queue."""


class Work:
    """What a job does, in its own process on a node."""

    def __init__(self, command: list[str], folder: str) -> None:
        self.command = command
        self.folder = folder
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(self) -> int:
        """Start the worker; gives its exit code."""
        with (Path(self.folder) / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.command, "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=worker_environment(),
            )
        # Not process.wait(): `checkpoint` is called out of this loop, and waits for the process too.
        while self.process.poll() is None:
            time.sleep(0.2)
        return self.process.returncode

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """Called by submitit on Slurm's warning: stop the worker, and have the same queued again."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            end = time.monotonic() + PATIENCE_S
            while self.process.poll() is None and time.monotonic() < end:
                time.sleep(0.1)
        # Asked for again, under the same name: what looks at the folder sees it wait.
        folder = RunFolder(Path(self.folder))
        before = folder.submitted()
        if before is not None:
            folder.submit(before["executor"], before["handle"], time.time(), leaves=True)
        return submitit.helpers.DelayedSubmission(Work(self.command, self.folder))


def logs(folder: Path) -> Path:
    """Where submitit keeps what it needs, and the jobs' own logs."""
    return folder.parent.absolute() / ".slurm"


def _logs_of(handle: str) -> Path | None:
    command = ["scontrol", "show", "job", "--oneliner", handle]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r" StdErr=(.*?\.err)", done.stdout)
    return Path(found[1]).parent if found else None


def _has_gpus() -> bool:
    """Whether any node has a GPU: Slurm refuses a job that asks for one where there is none."""
    done = subprocess.run(["sinfo", "--noheader", "--format=%G"], capture_output=True, text=True, check=False)
    return "gpu" in done.stdout


def _fields(text: str) -> list[tuple[str, str, str]]:
    lines = (line.split("|", 2) for line in text.splitlines())
    return [(one.strip(), state.strip(), reason.strip()) for one, state, reason in lines]


def _result(folder: Path | None, handle: str) -> int | None:
    """The exit code that `Work` gave; None where there is none."""
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
