"""Runs on a Ray cluster, given by its address or started on this machine.

Ray schedules a task on a node with the free CPUs, GPUs and memory that the run requests; the task
starts the worker and waits for it. When a node fails, its runs are submitted again and continue
from their checkpoints.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayError, RayTaskError, TaskCancelledError

from harness.errors import INTERRUPTED, ConfigError
from harness.execute.executor import Answer, Count, Job, ResourceRequest
from harness.execute.local import worker_environment
from harness.store.runs import RunFolder

MIB = 2**20

QUEUED = 1000
"""The largest number of tasks queued in Ray, which slows down with many more."""

PATIENCE_S = 20.0
"""The time that a worker has to finish its step when it is asked to stop."""


class Ray:
    """Tasks on a Ray cluster, at most `jobs` at once; None: as many as Ray has room for.

    Without an `address`, Ray's default is used (``RAY_ADDRESS``, or a cluster running on this machine), or
    else a cluster is started on this machine. `cpus` is the request of a run without its own.
    ConfigError if the cluster can't be reached.
    """

    poll_s = 0.5
    leaves = False

    def __init__(self, jobs: Count | None = None, address: str | None = None, cpus: int = 1) -> None:
        self._jobs = jobs
        self._cpus = cpus
        self._refs: dict[str, ray.ObjectRef[int]] = {}
        self._folders: dict[str, RunFolder] = {}
        self._own = not ray.is_initialized()
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if address is None and "RAY_ADDRESS" not in os.environ:
            options["include_dashboard"] = False
        if self._own:
            place = address or os.environ.get("RAY_ADDRESS", "")
            try:
                _check_reachable(place)
                ray.init(address, **options)
            except (OSError, RuntimeError, ValueError) as error:
                raise ConfigError(
                    f"can't reach Ray at {place or 'this machine'}: {error}",
                    where="executor ray",
                    remedy="Start it with ray start --head, and give --address HOST:6379.",
                ) from error
        self._work = ray.remote(max_retries=0)(_work)

    def room(self, need: ResourceRequest) -> int:
        """The number of further runs, up to `jobs` or the length of Ray's queue."""
        return (self._jobs or QUEUED) - len(self._refs)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Submit one task per job; ConfigError for a job that no node of the cluster can hold."""
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        return [self._start(job, nodes) for job in jobs]

    def _start(self, job: Job, nodes: Sequence[Mapping[str, float]]) -> str:
        wanted = _wanted(job.need, self._cpus, nodes)
        if not any(all(node.get(name, 0) >= amount for name, amount in wanted.items()) for node in nodes):
            request = ", ".join(f"{amount:g} {name}" for name, amount in wanted.items())
            raise ConfigError(
                f"no node of the cluster has the requested resources: {request}",
                where=f"executor ray, {job.folder.name}",
                remedy="Request less in [resources.MODEL] of harness.toml.",
            )
        options: dict[str, Any] = {"num_cpus": wanted["CPU"], "num_gpus": wanted.get("GPU", 0)}
        if "memory" in wanted:
            options["memory"] = wanted["memory"]
        ref = self._work.options(name=job.folder.name, **options).remote(
            job.command(), str(job.folder.absolute())
        )
        handle: str = ref.hex()
        self._refs[handle] = ref
        self._folders[handle] = RunFolder(job.folder)
        return handle

    def poll(self, handle: str) -> Answer:
        """The state of a task; it is queued until its run has taken the lease."""
        if handle not in self._refs:
            return Answer("lost", detail="another command submitted it")
        try:
            code = ray.get(self._refs[handle], timeout=0)
        except GetTimeoutError:
            return Answer("running" if self._folders[handle].busy() else "queued")
        except TaskCancelledError:
            answer = Answer("ended", INTERRUPTED)
        except RayTaskError as error:
            answer = Answer("ended", detail=str(error.cause))
        except RayError as error:
            answer = Answer("lost", detail=type(error).__name__)
        else:
            answer = Answer("ended", code)
        self._forget(handle)
        return answer

    def cancel(self, handle: str) -> None:
        """Interrupt the task, which stops its worker."""
        if handle not in self._refs:
            return
        ref = self._refs[handle]
        with contextlib.suppress(RayError):
            ray.cancel(ref)
            ray.get(ref, timeout=PATIENCE_S + 10)
        self._forget(handle)

    def close(self) -> None:
        """Stop all running tasks and disconnect from the cluster."""
        for handle in list(self._refs):
            self.cancel(handle)
        if self._own:
            ray.shutdown()

    def _forget(self, handle: str) -> None:
        del self._refs[handle], self._folders[handle]


def _check_reachable(address: str) -> None:
    """OSError if nothing listens at `address`: Ray itself would keep trying for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=5).close()


def _wanted(need: ResourceRequest, cpus: int, nodes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Ray's resources for a run; no GPU if the cluster has none, because then it trains on CPUs."""
    wanted: dict[str, float] = {"CPU": need.cpus or cpus}
    if any(node.get("GPU", 0) for node in nodes) and need.gpus:
        wanted["GPU"] = need.gpus
    if need.memory_mib is not None:
        wanted["memory"] = int(need.memory_mib * MIB)
    return wanted


def _work(command: list[str], folder: str) -> int:
    """On a node: start the worker, forward an interrupt to it, and return its exit code."""
    with (Path(folder) / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=worker_environment(),
        )
    try:
        # Not process.wait(): Ray's interrupt reaches Python code only, not a blocking call.
        while process.poll() is None:
            time.sleep(0.1)
    except BaseException:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    return process.returncode
