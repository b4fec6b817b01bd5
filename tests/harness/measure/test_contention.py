"""Whether anybody else was at work while something was measured."""

from __future__ import annotations

import multiprocessing
import time

import psutil
import pytest

from harness.measure import contention
from harness.measure.contention import SHORTEST_S, ContentionMonitor
from harness.measure.visible import available_cores


def spin(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_own_work_is_not_foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does nothing but what this process does is exclusive, its children included."""
    monkeypatch.setattr(contention, "_busy_s", lambda cores: contention._own_s())
    watch = ContentionMonitor()
    child = multiprocessing.get_context("spawn").Process(target=spin, args=(0.1,))
    child.start()
    spin(SHORTEST_S)
    child.join()
    seen = watch.seen()
    assert seen["cpu_foreign"] < 0.05
    assert not seen["shared"]


def test_too_short_a_look_tells_nothing_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks of 10 ms make any share of a loop of 4 ms."""
    now = {"time": 100.0, "busy": 50.0}
    monkeypatch.setattr("harness.measure.contention.time.perf_counter", lambda: now["time"])
    monkeypatch.setattr(contention, "_busy_s", lambda cores: now["busy"])
    monkeypatch.setattr(contention, "_own_s", lambda: 0.0)
    watch = ContentionMonitor()
    now.update(time=100.004, busy=50.02)
    assert watch.seen() == {"cpu_foreign": None, "gpu_foreign": 0, "shared": False}


def test_work_of_others_is_a_share_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"time": 100.0, "busy": 50.0}
    monkeypatch.setattr("harness.measure.contention.time.perf_counter", lambda: now["time"])
    monkeypatch.setattr(contention, "_busy_s", lambda cores: now["busy"])
    monkeypatch.setattr(contention, "_own_s", lambda: 0.0)
    monkeypatch.setattr(contention, "available_cores", lambda: [0, 1])
    watch = ContentionMonitor()
    now.update(time=110.0, busy=55.0)
    assert watch.seen() == {"cpu_foreign": 0.25, "gpu_foreign": 0, "shared": True}


def test_neighbours_on_the_gpu_make_a_figure_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    class Neighbours:
        def others(self) -> int:
            return 2

    monkeypatch.setattr(contention, "_busy_s", lambda cores: 0.0)
    assert ContentionMonitor(Neighbours()).seen() == {"cpu_foreign": None, "gpu_foreign": 2, "shared": True}  # type: ignore[arg-type]


def test_busy_time_is_that_of_the_cores_we_may_use() -> None:
    cores = available_cores()
    assert set(cores) <= set(range(psutil.cpu_count() or 1))
    assert 0 < contention._busy_s(cores) <= contention._busy_s(list(range(psutil.cpu_count() or 1)))
