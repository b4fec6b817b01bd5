"""What training takes besides time, over all attempts at it: memory, energy, neighbours, machines."""

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
    """Measures from its creation on; `resume` adds what an earlier attempt had measured."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._gpu = Gpu.of(compute.device)
        reset_peak(compute.device)
        reset_host_peak()
        self._watch = ContentionMonitor(self._gpu)
        self._joules = self._energy()
        self._earlier: Mapping[str, Any] = {}

    def resume(self, earlier: Mapping[str, Any]) -> None:
        """Go on from `earlier`, which `measured` gave in another process."""
        self._earlier = earlier

    def measured(self) -> dict[str, Any]:
        """So far: peaks in MiB, ``energy_j``, ``contention``, and ``machines``, the hardware classes.

        Energy is None if any attempt's is not known.
        """
        allocated, reserved = device_peak(self._compute.device)
        joules = self._energy()
        now = {
            "gpu_train_allocated": allocated,
            "gpu_train_reserved": reserved,
            "gpu_train_process": self._gpu.process_mib() if self._gpu is not None else None,
            "host_peak": host_peak(children=True),
            "energy_j": None if joules is None or self._joules is None else joules - self._joules,
            "contention": self._watch.seen(),
            "machines": [hardware_class(self._compute)],
        }
        return merge(self._earlier, now) if self._earlier else now

    def _energy(self) -> float | None:
        return self._gpu.energy_j() if self._gpu is not None else None


def merge(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Two attempts as one: the higher peak, the sum of energy, the busier machine, all machines."""
    merged = {name: _most(earlier.get(name), later.get(name)) for name in PEAKS}
    a, b = earlier.get("energy_j"), later.get("energy_j")
    then, now = earlier["contention"], later["contention"]
    return {
        **merged,
        "energy_j": None if a is None or b is None else a + b,
        "contention": {
            "cpu_foreign": _most(then["cpu_foreign"], now["cpu_foreign"]),
            "gpu_foreign": max(then["gpu_foreign"], now["gpu_foreign"]),
            "shared": then["shared"] or now["shared"],
        },
        "machines": list(dict.fromkeys([*earlier["machines"], *later["machines"]])),
    }


def _most(a: float | None, b: float | None) -> float | None:
    known = [value for value in (a, b) if value is not None]
    return max(known) if known else None
