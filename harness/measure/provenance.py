"""What a run ran on: hardware, versions, sources. Beside the figures, never in a key."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import psutil
import torch

import harness
from harness.contract.record import Environment, Hardware
from harness.measure.compute import Compute


def hardware_class(compute: Compute) -> str:
    """One string, and costs compare only where it is equal."""
    if compute.device.type == "cuda":
        return torch.cuda.get_device_name(compute.device)
    cores, threads = _cores(), torch.get_num_threads()
    used = "" if threads == cores else f", {threads} {'thread' if threads == 1 else 'threads'}"
    return f"{_cpu_name()}, {cores} cores{used}"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hardware(compute: Compute) -> Hardware:
    """The machine, with its `hardware_class`."""
    return Hardware(
        name=hardware_class(compute),
        gpu=torch.cuda.get_device_name(compute.device) if compute.device.type == "cuda" else None,
        cpu=_cpu_name(),
        cores=_cores(),
        ram_gib=round(psutil.virtual_memory().total / 2**30, 1),
    )


def environment(compute: Compute) -> Environment:
    """Versions and settings that can change bits or speed."""
    return Environment(
        harness=harness.__version__,
        commit=commit_of(Path(__file__).resolve().parents[2]),
        python=platform.python_version(),
        torch=torch.__version__,
        cuda=torch.version.cuda if compute.device.type == "cuda" else None,
        system=platform.system(),
        device=compute.device.type,
        precision=compute.precision,
        threads=torch.get_num_threads(),
        cpu_capability=torch.backends.cpu.get_cpu_capability(),
    )


def installed_versions(packages: Iterable[str]) -> dict[str, str | None]:
    """The version of each package's distribution; None where none bears its name."""
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = None
    return found


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit_of(source: Path) -> str | None:
    """The commit of a source tree; None where it has none, as where a package is installed from a wheel.

    With ``-dirty`` where a tracked file differs, but for tables: a sweep's first run already rewrites those.
    """
    if not (source / ".git").exists():
        return None
    commit = _git(source, "describe", "--always", "--abbrev=12")
    if not commit:
        return None
    same = _git(source, "diff", "--quiet", "HEAD", "--", ".", ":(exclude)leaderboards") is not None
    return commit if same else f"{commit}-dirty"


def _git(source: Path, *words: str) -> str | None:
    """What git answers; None where it doesn't."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(source), *words], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
