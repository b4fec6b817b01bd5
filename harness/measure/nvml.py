"""What NVML reports of a GPU and torch does not: memory of the whole process, energy, other processes."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

log = logging.getLogger(__name__)

MIB = 2**20


@dataclass(frozen=True)
class Gpu:
    """One GPU as NVML sees it. A value is None if the card or the driver does not report it."""

    handle: Any
    nvml: Any

    @classmethod
    def of(cls, device: torch.device) -> Gpu | None:
        """The GPU that torch calls `device`; None for a CPU, or without NVML."""
        if device.type != "cuda":
            return None
        try:
            import pynvml

            pynvml.nvmlInit()
            # CUDA_VISIBLE_DEVICES renumbers torch's devices but not NVML's; the UUID is the same in both.
            uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
            return cls(pynvml.nvmlDeviceGetHandleByUUID(uuid), pynvml)
        except Exception as error:
            log.warning("NVML does not support %s: %s", device, error)
            return None

    def process_mib(self) -> float | None:
        """Memory of this process on the card, including CUDA's context."""
        with self._reported("memory"):
            processes = self._processes()
            # In a container the driver may report another process id; a single process must be this one.
            ours = [p for p in processes if p.pid == os.getpid()] or processes * (len(processes) == 1)
            if ours and ours[0].usedGpuMemory is not None:
                return float(ours[0].usedGpuMemory) / MIB
        return None

    def energy_j(self) -> float | None:
        """Joules that the card has used since the driver was loaded, for all processes."""
        with self._reported("energy"):
            return float(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.handle)) / 1000
        return None

    def others(self) -> int:
        """The number of other processes that compute on the card, once this one does too."""
        with self._reported("processes"):
            return max(0, len(self._processes()) - 1)
        return 0

    def _processes(self) -> list[Any]:
        running = list(self.nvml.nvmlDeviceGetComputeRunningProcesses(self.handle))
        # MPS clients are in a separate list; the MPS server, through which they share a card, is in this one.
        with contextlib.suppress(self.nvml.NVMLError):
            running += self.nvml.nvmlDeviceGetMPSComputeRunningProcesses(self.handle)
        return list({process.pid: process for process in running}.values())

    @contextlib.contextmanager
    def _reported(self, quantity: str) -> Iterator[None]:
        try:
            yield
        except self.nvml.NVMLError as error:
            log.info("NVML does not report %s: %s", quantity, error)
