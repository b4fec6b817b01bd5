"""A project of tiny hearts in which commands are run as a user runs them."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TINY = Path(__file__).parent / "tiny"


@dataclass(frozen=True)
class Command:
    """How a command of `harness` ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Project:
    """A folder with harness.toml and harness_plugins.py in which commands are run as a user runs them."""

    root: Path

    def start(self, *args: str, **options: Any) -> subprocess.Popen[str]:
        """Start ``harness args…`` in the project's folder."""
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *args],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "140"},
            # Tests that a script runs in its background are told to ignore Ctrl-C, and so would this be.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            **options,
        )

    def __call__(self, *args: str) -> Command:
        """Run ``harness args…`` to its end."""
        process = self.start(*args)
        out, err = process.communicate(timeout=240)
        return Command(process.returncode, out, err)

    def hurry(self) -> None:
        """Let the model ``slow`` pause no more: what was to happen while it works has happened."""
        (self.root / "hurry").touch()

    def run_folders(self) -> list[Path]:
        """All run folders, sorted."""
        return sorted(spec.parent for spec in (self.root / "runs").glob("*/spec.json"))


def tiny_heart(number: int, phase: str) -> Any:
    """The volume of one case of the tiny dataset.

    Loaded under another name: commands tested in this process must still find none imported.
    """
    spec = importlib.util.spec_from_file_location("tiny_plugins", TINY / "harness_plugins.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.heart(number, phase)


def make_project(root: Path) -> Project:
    """Copy the tiny project's two files to `root`."""
    root.mkdir(parents=True)
    for name in ("harness.toml", "harness_plugins.py"):
        shutil.copy(TINY / name, root / name)
    return Project(root)
