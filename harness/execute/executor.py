"""The contract of executors: an executor starts workers on run folders and reports whether they still run.

The record on disk is the truth about a run; an executor's answer is a hint. An executor is given a path
and the resources that the run needs, and returns a handle: a string, so that another process can poll it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Protocol

from pydantic import Field

from harness.errors import PluginError

State = Literal["queued", "running", "ended", "cancelled", "lost"]


Count = Annotated[int, Field(ge=1)]
"""The type of a parameter such as `jobs`: values are checked against the signature of an executor."""


@dataclass(frozen=True)
class ResourceRequest:
    """The resources that a run needs. `cpus` and `memory_mib` are None where they are unknown."""

    gpus: int = 1
    cpus: int | None = None
    memory_mib: float | None = None


@dataclass(frozen=True)
class Job:
    """A run to be submitted: its folder, the resources that it needs, and its time limit."""

    folder: Path
    need: ResourceRequest = ResourceRequest()
    timeout_s: float | None = None

    def command(self, *more: str) -> list[str]:
        """The worker's command; it works on every machine that can read the folder and has the harness."""
        limit = [] if self.timeout_s is None else ["--timeout", f"{self.timeout_s:g}"]
        return [sys.executable, "-P", "-m", "harness", "worker", str(self.folder.absolute()), *limit, *more]


@dataclass(frozen=True)
class Answer:
    """The state of a job, as its executor knows it.

    `code` is the worker's exit code once it has ended, negative for the signal that ended it, None
    where the executor does not know it. ``cancelled`` means that somebody took the job out of the
    executor's queue by other means; ``lost`` that the machine is gone, and that the run may be submitted
    again. `detail` is a reason, or the end of a log.
    """

    state: State
    code: int | None = None
    detail: str = ""


class RunExecutor(Protocol):
    """Starts workers and reports on them.

    `poll_s` is the polling interval in seconds. With `leaves`, jobs stay in the executor's queue when the
    command that submitted them ends, and a later command polls them by their handles.
    """

    poll_s: float
    leaves: bool

    def room(self, need: ResourceRequest) -> int:
        """The number of jobs with this request that may be submitted now."""
        ...

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Start workers for at most as many jobs as there was room for; return their handles."""
        ...

    def poll(self, handle: str) -> Answer:
        """The state of a job; ``lost`` for an unknown handle."""
        ...

    def cancel(self, handle: str) -> None:
        """Stop a queued or running job, and return when it has stopped; do nothing if it has ended."""
        ...

    def close(self) -> None:
        """Release all resources of the executor."""
        ...


METHODS = ("room", "submit", "poll", "cancel", "close")


def check(made: object, name: str) -> RunExecutor:
    """`made`, if it is an executor; PluginError that names what it lacks otherwise."""
    missing = [method for method in METHODS if not callable(getattr(made, method, None))]
    missing += [fact for fact in ("poll_s", "leaves") if not hasattr(made, fact)]
    if missing:
        raise PluginError(
            f"lacks {', '.join(missing)}", where=f"executor {name}", remedy="See docs/cluster.md."
        )
    return made  # type: ignore[return-value]  # it has everything that the protocol names
