"""Peak memory, in MiB (2**20 bytes), of the device and of the host, since the last reset."""

from __future__ import annotations

import contextlib
import resource
import sys
from pathlib import Path

import psutil
import torch

MIB = 2**20


def reset_peak(device: torch.device) -> None:
    """Reset the device's peak, for example between training and prediction."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def device_peak(device: torch.device) -> tuple[float | None, float | None]:
    """Peak allocated and peak reserved memory since the last reset; None without a GPU."""
    if device.type != "cuda":
        return None, None
    return (
        torch.cuda.max_memory_allocated(device) / MIB,
        torch.cuda.max_memory_reserved(device) / MIB,
    )


def device_free(device: torch.device) -> int | None:
    """Bytes of free device memory; None without a GPU."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None


def reset_host_peak() -> None:
    """Reset the peak of this process where the system supports it (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def host_peak(*, children: bool = False) -> float:
    """Peak resident memory of this process and, with `children`, of its running children."""
    if children:
        others = (_peak_of(child.pid) for child in psutil.Process().children(recursive=True))
        return host_peak() + sum(mib or 0.0 for mib in others)
    # On Linux, the peak of getrusage can be that of the process that started this one.
    resident = _peak_of("self")
    if resident is not None:
        return resident
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts KiB, macOS bytes.
    return peak / MIB if sys.platform == "darwin" else peak / 1024


def _peak_of(process: int | str) -> float | None:
    """The peak that Linux reports; None on other systems, and for a process that has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return None
