"""Looking at a tiny project's only run while it works."""

import json
import time
from collections.abc import Callable
from typing import Any

from tiny_project import Project


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


def progress(project: Project) -> dict[str, Any]:
    for run in project.run_folders():
        try:
            return dict(json.loads((run / "progress.json").read_text()))
        except (OSError, ValueError):
            continue
    return {}


def trains(project: Project) -> Callable[[], bool]:
    return lambda: progress(project).get("phase") == "train" and progress(project).get("epoch", 0) >= 2


def record(project: Project) -> dict[str, Any]:
    (run,) = project.run_folders()
    return dict(json.loads((run / "record.json").read_text()))
