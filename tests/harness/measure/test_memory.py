"""Memory is told in MiB, of this process and of the device, phase by phase."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch

from harness.measure.memory import MIB, device_peak, host_peak, reset_peak

CPU = torch.device("cpu")


def test_the_host_peak_is_in_mib() -> None:
    """At least what the process holds now; a mistaken unit would be 1024 times off."""
    now = psutil.Process().memory_info().rss / MIB
    # The system counts pages with some delay.
    assert 0.9 * now < host_peak() < 1024 * now


def test_the_host_peak_remembers_what_was_freed_and_not_who_started_the_process() -> None:
    """A worker's memory must not be that of a `harness run` that has just read a whole dataset."""
    held = b"x" * (300 * MIB)
    code = (
        "from harness.measure.memory import host_peak\n"
        "before = host_peak()\n"
        "held = b'x' * (200 * 2**20)\n"
        "del held\n"
        "print(before, host_peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, more = map(float, done.stdout.split())
    assert before < host_peak() - len(held) / MIB / 3
    assert 150 < more < 250


def test_without_a_gpu_there_is_no_device_peak_and_nothing_breaks() -> None:
    reset_peak(CPU)
    assert device_peak(CPU) == (None, None)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_device_peak_is_positive_and_starts_anew() -> None:
    device = torch.device("cuda")
    reset_peak(device)
    start, _ = device_peak(device)
    held = torch.empty(64 * MIB, dtype=torch.uint8, device=device)
    allocated, reserved = device_peak(device)
    assert start is not None
    assert allocated is not None
    assert reserved is not None
    assert allocated - start == pytest.approx(64, abs=1)
    assert reserved >= allocated
    del held
    reset_peak(device)
    assert device_peak(device)[0] == pytest.approx(start, abs=1)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux starts a peak anew")
def test_the_host_peak_starts_anew() -> None:
    """Who prepares the data for all must not look hungrier than who finds it prepared."""
    script = """
from harness.measure.memory import host_peak, reset_host_peak
taken = bytearray(200 * 2**20)
del taken
before = host_peak()
reset_host_peak()
print(before - host_peak())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) > 150
