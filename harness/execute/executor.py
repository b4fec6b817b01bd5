"""What an executor is: something that starts a worker on a run's folder and tells whether it still runs.

The record on disk is the truth about a run; what an executor tells is a hint. It is given a path
and what the run needs, and gives a handle: a text, so that another process can ask for it later.
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
"""A parameter such as `jobs`: what an executor's signature says is checked before it is made."""


@dataclass(frozen=True)
class ResourceRequest:
    """What a run asks of the machine it is placed on. `cpus` and `memory_mib` None: unknown."""

    gpus: int = 1
    cpus: int | None = None
    memory_mib: float | None = None


@dataclass(frozen=True)
class Job:
    """A run to be placed: its folder, what it needs, and after how long it is given up."""

    folder: Path
    need: ResourceRequest = ResourceRequest()
    timeout_s: float | None = None

    def command(self, *more: str) -> list[str]:
        """The worker's command; it works on every machine that sees the folder and has the harness."""
        limit = [] if self.timeout_s is None else ["--timeout", f"{self.timeout_s:g}"]
        return [sys.executable, "-P", "-m", "harness", "worker", str(self.folder.absolute()), *limit, *more]


@dataclass(frozen=True)
class Answer:
    """What an executor knows of a job.

    `code` is the worker's exit code once it has ended, negative for the signal that ended it, None
    where the executor can't tell. ``cancelled`` means that somebody took it out of the executor's
    queue by other means; ``lost`` that the machine is gone, and that another may try.
    `detail` is the executor's own word: a reason, or the end of a log.
    """

    state: State
    code: int | None = None
    detail: str = ""


class RunExecutor(Protocol):
    """Where runs happen.

    `poll_s` is how often it is asked. With `leaves`, jobs stay in its queue when the command that
    submitted them ends, and a later command goes on watching them by their handles.
    """

    poll_s: float
    leaves: bool

    def room(self, need: ResourceRequest) -> int:
        """How many jobs like this may be submitted now."""
        ...

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Have workers started, of at most as many jobs as there was room for; gives their handles."""
        ...

    def poll(self, handle: str) -> Answer:
        """What has become of a job; ``lost`` for a handle that nobody knows."""
        ...

    def cancel(self, handle: str) -> None:
        """Stop a job, queued or running, and come back when it has stopped; nothing if it has ended."""
        ...

    def close(self) -> None:
        """Let go of whatever the executor holds."""
        ...


METHODS = ("room", "submit", "poll", "cancel", "close")


def check(made: object, name: str) -> RunExecutor:
    """`made` if it is an executor; PluginError with what it lacks."""
    missing = [method for method in METHODS if not callable(getattr(made, method, None))]
    missing += [fact for fact in ("poll_s", "leaves") if not hasattr(made, fact)]
    if missing:
        raise PluginError(
            f"lacks {', '.join(missing)}", where=f"executor {name}", remedy="See docs/cluster.md."
        )
    return made  # type: ignore[return-value]  # it has everything that the protocol names
