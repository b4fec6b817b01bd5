"""Calls of git."""

from __future__ import annotations

import subprocess
from pathlib import Path


def run_git(
    folder: Path, *arguments: str, timeout_s: float | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a git command in `folder`; its exit code is not checked.

    OSError without git, subprocess.TimeoutExpired after `timeout_s`.
    """
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
        check=False,
    )
