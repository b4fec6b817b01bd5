"""What a training uses besides time, over all its attempts: memory, energy, contention, machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.measure.compute import Compute
from harness.measure.contention import ContentionMonitor
from harness.measure.memory import device_peak, host_peak, reset_host_peak, reset_peak
from harness.measure.nvml import Gpu
from harness.measure.provenance import hardware_class

PEAKS = ("gpu_train_allocated", "gpu_train_reserved", "gpu_train_process", "host_peak")


class Meter:
    """Measures from its creation on; `resume` adds the measurements of an earlier attempt."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._gpu = Gpu.of(compute.device)
        reset_peak(compute.device)
        reset_host_peak()
        self._contention = ContentionMonitor(self._gpu)
        self._joules = self._energy()
        self._earlier: Mapping[str, Any] = {}

    def resume(self, earlier: Mapping[str, Any]) -> None:
        """Continue from `earlier`, the measurements of another process."""
        self._earlier = earlier

    def measured(self) -> dict[str, Any]:
        """Measurements so far: peaks in MiB, ``energy_j``, ``contention``, and hardware classes ``machines``.

        Energy is None if that of any attempt is unknown.
        """
        allocated, reserved = device_peak(self._compute.device)
        joules = self._energy()
        now = {
            "gpu_train_allocated": allocated,
            "gpu_train_reserved": reserved,
            "gpu_train_process": self._gpu.process_mib() if self._gpu is not None else None,
            "host_peak": host_peak(children=True),
            "energy_j": None if joules is None or self._joules is None else joules - self._joules,
            "contention": self._contention.seen(),
            "machines": [hardware_class(self._compute)],
        }
        return merge(self._earlier, now) if self._earlier else now

    def _energy(self) -> float | None:
        return self._gpu.energy_j() if self._gpu is not None else None


def merge(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Combine two attempts: the higher peaks, the sum of energy, the higher contention, all machines."""
    merged = {name: _highest(earlier.get(name), later.get(name)) for name in PEAKS}
    a, b = earlier.get("energy_j"), later.get("energy_j")
    then, now = earlier["contention"], later["contention"]
    return {
        **merged,
        "energy_j": None if a is None or b is None else a + b,
        "contention": {
            "cpu_foreign": _highest(then["cpu_foreign"], now["cpu_foreign"]),
            "gpu_foreign": max(then["gpu_foreign"], now["gpu_foreign"]),
            "shared": then["shared"] or now["shared"],
        },
        "machines": list(dict.fromkeys([*earlier["machines"], *later["machines"]])),
    }


def _highest(a: float | None, b: float | None) -> float | None:
    known = [value for value in (a, b) if value is not None]
    return max(known) if known else None
