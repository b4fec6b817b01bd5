"""Who else was at work: figures of a busy machine are marked, and compared with none of a quiet one."""

from __future__ import annotations

import os
import time
from typing import Any

import psutil

from harness.measure.nvml import Gpu

MOST_FOREIGN = 0.1
"""Share of the cores that others may have had in a measurement that counts as exclusive."""


SHORTEST_S = 0.5
"""Less than this tells nothing of the cores: the system counts their time in ticks of 10 ms."""


class ContentionMonitor:
    """What other processes do from now on, on the cores that this one may use and on its GPU."""

    def __init__(self, gpu: Gpu | None = None) -> None:
        self._gpu = gpu
        self._cores = _cores()
        self._start = time.perf_counter()
        self._busy, self._own = _busy_s(self._cores), _own_s()
        self._others = gpu.others() if gpu is not None else 0

    def seen(self) -> dict[str, Any]:
        """``cpu_foreign``, the share of the cores that others had; ``gpu_foreign`` processes; ``shared``.

        The share is None where too little time has passed to tell.
        """
        seconds = time.perf_counter() - self._start
        share = None
        if seconds >= SHORTEST_S:
            foreign = (_busy_s(self._cores) - self._busy) - (_own_s() - self._own)
            share = round(min(1.0, max(0.0, foreign / (seconds * len(self._cores)))), 3)
        others = max(self._others, self._gpu.others() if self._gpu is not None else 0)
        return {
            "cpu_foreign": share,
            "gpu_foreign": others,
            "shared": (share or 0.0) > MOST_FOREIGN or others > 0,
        }


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _busy_s(cores: list[int]) -> float:
    """CPU seconds that anybody has used on these cores."""
    times = psutil.cpu_times(percpu=True)
    waiting = ("idle", "iowait", "guest", "guest_nice")
    return sum(
        sum(seconds for name, seconds in times[core]._asdict().items() if name not in waiting)
        for core in cores
        if core < len(times)
    )


def _own_s() -> float:
    """CPU seconds of this process and its children, those that have ended included."""
    process = psutil.Process()
    total = sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        try:
            total += sum(child.cpu_times()[:2])
        except psutil.Error:
            # It has just ended: its time is in what the parent has of its children.
            continue
    return float(total)
