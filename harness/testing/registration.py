"""Checks of every plugin: its module registers it without errors, and without importing torch."""

from __future__ import annotations

import os
import subprocess
import sys

from harness.plugins.blame import shorten
from harness.testing.check import CheckFailed, CheckSkipped
from harness.testing.subject import Subject


def registration(subject: Subject) -> str:
    """The module that registers the plugin has no other error, such as a misspelt hook."""
    for error, remedy in subject.problems:
        raise CheckFailed(error, remedy)
    return shorten(subject.origin) if subject.origin else "only a record"


def light(subject: Subject) -> str:
    """Registering does not import torch, so every command starts quickly."""
    if not subject.origin:
        raise CheckSkipped("a record does not say which module registers it")
    path = os.pathsep.join(entry for entry in sys.path if entry)
    done = subprocess.run(
        [sys.executable, "-m", "harness.testing.import_guard", subject.origin],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    result = (done.stdout.splitlines() or [""])[-1]
    if result.startswith("TORCH"):
        place = result.removeprefix("TORCH").strip()
        raise CheckFailed(
            f"{shorten(place) if place else 'the module'} imports torch when plugins are listed",
            "Import it inside the function that `target` names, or move that function to another module.",
        )
    if result != "LIGHT":
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise CheckFailed(
            f"importing '{subject.origin}' in a fresh process failed: {last}",
            "Make it importable on its own: python -c 'import …'.",
        )
    return "torch is not imported"
