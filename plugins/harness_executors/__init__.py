"""Built-in executors: this process, this machine, a Ray cluster, Slurm."""

from collections.abc import Iterator

from harness import Executor, hookimpl


@hookimpl
def harness_executors() -> Iterator[Executor]:
    """Places where runs happen; the two cluster engines are extras."""
    yield Executor(
        "local",
        "harness.execute.local:Local",
        summary="processes of this machine, a GPU each",
        defaults={"jobs": None},
    )
    yield Executor(
        "inline",
        "harness.execute.inline:Inline",
        summary="one run after the other in this process, for debugging",
        defaults={"jobs": None},
    )
