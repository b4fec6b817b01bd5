"""Runs on a Ray cluster: one that is given by its address, or one made of this machine.

Ray places a task on a node with the free CPUs, GPUs and memory that the run asks for; the task
starts the worker and waits for it. A node that dies takes its tasks with it: the run is
submitted again, and goes on from its checkpoint.
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
"""So many tasks may wait in Ray; it slows down with far more."""

PATIENCE_S = 20.0
"""A worker that is asked to stop may take this long to come to the end of a step."""


class Ray:
    """Tasks of a Ray cluster. `jobs` at once; None: as many as Ray finds room for.

    Without an `address`, Ray's own (``RAY_ADDRESS``, or a cluster that runs on this machine); where
    there is none, one is made of this machine. `cpus` is what a run asks for that says nothing.
    ConfigError where the cluster can't be reached.
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
                _knock(place)
                ray.init(address, **options)
            except (OSError, RuntimeError, ValueError) as error:
                raise ConfigError(
                    f"can't reach Ray at {place or 'this machine'}: {error}",
                    where="executor ray",
                    remedy="Start it with ray start --head, and give --address HOST:6379.",
                ) from error
        self._work = ray.remote(max_retries=0)(_work)

    def room(self, need: ResourceRequest) -> int:
        """Up to `jobs`, or what Ray may queue."""
        return (self._jobs or QUEUED) - len(self._refs)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """A task a job; ConfigError for one that no node of the cluster could ever hold."""
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        return [self._start(job, nodes) for job in jobs]

    def _start(self, job: Job, nodes: Sequence[Mapping[str, float]]) -> str:
        wanted = _wanted(job.need, self._cpus, nodes)
        if not any(all(node.get(name, 0) >= amount for name, amount in wanted.items()) for node in nodes):
            told = ", ".join(f"{amount:g} {name}" for name, amount in wanted.items())
            raise ConfigError(
                f"no node of the cluster has what a run asks for: {told}",
                where=f"executor ray, {job.folder.name}",
                remedy="Ask for less in [resources.MODEL] of harness.toml.",
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
        """A run that has its task but not its lease yet is queued."""
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
        """Stop what still runs, and leave the cluster."""
        for handle in list(self._refs):
            self.cancel(handle)
        if self._own:
            ray.shutdown()

    def _forget(self, handle: str) -> None:
        del self._refs[handle], self._folders[handle]


def _knock(address: str) -> None:
    """OSError where nobody listens: Ray itself would go on trying for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host, int(port)), timeout=5).close()


def _wanted(need: ResourceRequest, cpus: int, nodes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Ray's resources for a run; no GPU where the cluster has none, for then the CPU trains."""
    wanted: dict[str, float] = {"CPU": need.cpus or cpus}
    if any(node.get("GPU", 0) for node in nodes) and need.gpus:
        wanted["GPU"] = need.gpus
    if need.memory_mib is not None:
        wanted["memory"] = int(need.memory_mib * MIB)
    return wanted


def _work(command: list[str], folder: str) -> int:
    """On a node: start the worker, and give its exit code. An interrupt is passed on to it."""
    with (Path(folder) / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=worker_environment(),
        )
    try:
        # Not process.wait(): Ray's interrupt reaches Python code, not a call that blocks.
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
