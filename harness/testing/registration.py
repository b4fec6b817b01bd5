"""Of every plugin: its module registers it without a mistake, and without torch."""

from __future__ import annotations

import os
import subprocess
import sys

from harness.plugins.blame import shorten
from harness.testing.check import CheckFailed, CheckSkipped
from harness.testing.subject import Subject


def registration(subject: Subject) -> str:
    """The module that registers the plugin has no other mistake: no misspelt hook, no false record."""
    for error, remedy in subject.problems:
        raise CheckFailed(error, remedy)
    return shorten(subject.origin) if subject.origin else "a record alone"


def light(subject: Subject) -> str:
    """Registering does not import torch, so every command starts at once."""
    if not subject.origin:
        raise CheckSkipped("a record alone does not say which module registers it")
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-m", "harness.testing.watch", subject.origin],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    said = (done.stdout.splitlines() or [""])[-1]
    if said.startswith("TORCH"):
        place = said.removeprefix("TORCH").strip()
        raise CheckFailed(
            f"{shorten(place) if place else 'the module'} imports torch when plugins are listed",
            "Import it inside the function that `target` names, or name a module of its own there.",
        )
    if said != "LIGHT":
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise CheckFailed(
            f"importing '{subject.origin}' in a fresh process failed: {last}",
            "Make it importable by itself: python -c 'import …'.",
        )
    return "torch stays out"
