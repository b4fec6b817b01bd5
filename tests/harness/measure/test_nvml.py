"""What is asked of the NVIDIA driver, with a made-up driver; a real one answers in the GPU checks."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from harness.measure.nvml import Gpu


class NVMLError(Exception):
    pass


Processes = list[tuple[int, int | None]]


def driver(processes: Processes, energy: int | None = 7000, clients: Processes | None = None) -> Any:
    def joules(handle: object) -> int:
        if energy is None:
            raise NVMLError("not supported")
        return energy

    def mps(handle: object) -> list[SimpleNamespace]:
        if clients is None:
            raise NVMLError("not supported")
        return listed(clients)

    return SimpleNamespace(
        NVMLError=NVMLError,
        nvmlDeviceGetComputeRunningProcesses=lambda handle: listed(processes),
        nvmlDeviceGetMPSComputeRunningProcesses=mps,
        nvmlDeviceGetTotalEnergyConsumption=joules,
    )


def listed(processes: Processes) -> list[SimpleNamespace]:
    return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in processes]


@pytest.mark.parametrize(
    ("processes", "mib", "others"),
    [
        ([(os.getpid(), 3 * 2**20), (1, 2**20)], 3, 1),
        # A container's numbers are not the driver's.
        ([(999_999_999, 5 * 2**20)], 5, 0),
        ([(999_999_999, 5 * 2**20), (999_999_998, 2**20)], None, 1),
        ([(os.getpid(), None)], None, 0),
        ([], None, 0),
    ],
)
def test_own_memory_and_neighbours(processes: Processes, mib: float | None, others: int) -> None:
    gpu = Gpu("card", driver(processes))
    assert (gpu.process_mib(), gpu.others()) == (mib, others)


def test_what_shares_a_card_through_mps_is_seen_beside_its_server() -> None:
    server: Processes = [(7, 30 * 2**20)]
    clients: Processes = [(os.getpid(), 3 * 2**20), (8, 2**20)]
    gpu = Gpu("card", driver(server, clients=clients))
    assert (gpu.process_mib(), gpu.others()) == (3, 2)


def test_energy_is_in_joules_or_unknown() -> None:
    assert Gpu("card", driver([], energy=7000)).energy_j() == 7.0
    assert Gpu("card", driver([], energy=None)).energy_j() is None


def test_a_cpu_has_no_driver() -> None:
    assert Gpu.of(torch.device("cpu")) is None
