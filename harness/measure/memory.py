"""Peak memory, in MiB (2**20 bytes): of the device by phase, of the host for the whole process."""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

import torch

MIB = 2**20


def reset_peak(device: torch.device) -> None:
    """Start a new device peak, for example between training and prediction."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def device_peak(device: torch.device) -> tuple[float | None, float | None]:
    """Peak allocated and reserved since the last reset; None where there is no GPU."""
    if device.type != "cuda":
        return None, None
    return (
        torch.cuda.max_memory_allocated(device) / MIB,
        torch.cuda.max_memory_reserved(device) / MIB,
    )


def host_peak() -> float:
    """Peak resident memory of this process."""
    # On Linux getrusage also remembers the process that started this one, until it is outgrown.
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes.
    return peak / MIB if sys.platform == "darwin" else peak / 1024
