"""Contention: what other processes used meanwhile. Costs measured on a shared machine are marked as such."""

from __future__ import annotations

import time
from typing import Any

import psutil

from harness.measure.nvml import Gpu
from harness.measure.visible import available_cores

MOST_FOREIGN = 0.1
"""The largest share of the cores that other processes may use in an exclusive measurement."""


SHORTEST_S = 0.5
"""Shorter measurements can't show contention: the system counts CPU time in ticks of 10 ms."""


class ContentionMonitor:
    """Measures from now on what other processes use of this process's cores and GPU."""

    def __init__(self, gpu: Gpu | None = None) -> None:
        self._gpu = gpu
        self._cores = available_cores()
        self._start = time.perf_counter()
        self._busy, self._own = _busy_s(self._cores), _own_s()
        self._others = gpu.others() if gpu is not None else 0

    def seen(self) -> dict[str, Any]:
        """``cpu_foreign``, the share of the cores that others used; ``gpu_foreign`` processes; ``shared``.

        The share is None if too little time has passed.
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


def _busy_s(cores: list[int]) -> float:
    """CPU seconds that all processes have used on these cores."""
    times = psutil.cpu_times(percpu=True)
    waiting = ("idle", "iowait", "guest", "guest_nice")
    return sum(
        sum(seconds for name, seconds in times[core]._asdict().items() if name not in waiting)
        for core in cores
        if core < len(times)
    )


def _own_s() -> float:
    """CPU seconds of this process and its children, including those that have ended."""
    process = psutil.Process()
    total = sum(process.cpu_times()[:4])
    for child in process.children(recursive=True):
        try:
            total += sum(child.cpu_times()[:2])
        except psutil.Error:
            # It has just ended, so its time is included in its parent's.
            continue
    return float(total)
