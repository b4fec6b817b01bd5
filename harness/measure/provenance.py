"""Provenance of a run: hardware, versions, commit. Recorded, never part of a key."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import psutil
import torch

import harness
from harness.contract.record import Environment, Hardware
from harness.git import run_git
from harness.measure.compute import Compute
from harness.measure.visible import available_cores


def hardware_class(compute: Compute) -> str:
    """The class of the machine as one string; costs are comparable only if it is equal."""
    if compute.device.type == "cuda":
        return torch.cuda.get_device_name(compute.device)
    cores, threads = len(available_cores()), torch.get_num_threads()
    used = "" if threads == cores else f", {threads} {'thread' if threads == 1 else 'threads'}"
    return f"{_cpu_name()}, {cores} cores{used}"


def hardware(compute: Compute) -> Hardware:
    """The machine, with its `hardware_class`."""
    return Hardware(
        name=hardware_class(compute),
        gpu=torch.cuda.get_device_name(compute.device) if compute.device.type == "cuda" else None,
        cpu=_cpu_name(),
        cores=len(available_cores()),
        ram_gib=round(psutil.virtual_memory().total / 2**30, 1),
    )


def environment(compute: Compute) -> Environment:
    """Versions and settings that can affect bits or speed."""
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
    """The version of each package's distribution; None if no distribution has its name."""
    versions: dict[str, str | None] = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def commit_of(source: Path) -> str | None:
    """The commit of a source tree; None if it has none, such as for a package installed from a wheel.

    With ``-dirty`` if a tracked file differs. Tables don't count, because a sweep's first run rewrites them.
    """
    if not (source / ".git").exists():
        return None
    commit = _output(source, "describe", "--always", "--abbrev=12")
    if not commit:
        return None
    unchanged = _output(source, "diff", "--quiet", "HEAD", "--", ".", ":(exclude)leaderboards") is not None
    return commit if unchanged else f"{commit}-dirty"


def _output(source: Path, *arguments: str) -> str | None:
    """The output of a git command; None if it fails."""
    try:
        answer = run_git(source, *arguments, timeout_s=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
