"""Built-in executors: this process, this machine, a Ray cluster, Slurm."""

from collections.abc import Iterator

from harness import Executor, hookimpl


@hookimpl
def harness_executors() -> Iterator[Executor]:
    """What starts workers. The two for clusters need an extra."""
    yield Executor(
        "local",
        "harness.execute.local:Local",
        summary="processes on this machine, one GPU each",
        defaults={"jobs": None},
    )
    yield Executor(
        "inline",
        "harness.execute.inline:Inline",
        summary="one run after another in this process, for debugging",
        defaults={"jobs": None},
    )
    yield Executor(
        "ray",
        "harness_executors.ray:Ray",
        summary="tasks on a Ray cluster",
        defaults={"jobs": None, "address": None, "cpus": 1},
        requires={"ray": "cardiac-harness[ray]"},
    )
    yield Executor(
        "slurm",
        "harness_executors.slurm:Slurm",
        summary="Slurm job arrays, requeued at their time limit",
        defaults={
            "jobs": None,
            "partition": None,
            "account": None,
            "qos": None,
            "constraint": None,
            "time": 720,
            "setup": (),
            "options": None,
            "requeues": 20,
            "warning_s": 120,
            "poll_s": 10.0,
        },
        requires={"submitit": "cardiac-harness[slurm]"},
    )
