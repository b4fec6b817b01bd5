"""Clocks: the phases of a run, and steps timed without blocking the device."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence

import torch


class Phases:
    """Seconds by phase and wall time, added to those of earlier attempts.

    Phases don't overlap: time inside an inner phase does not count for the outer one.
    """

    def __init__(self, earlier: Mapping[str, float] | None = None) -> None:
        self._seconds = dict(earlier or {})
        self._wall = self._seconds.pop("wall", 0.0)
        self._start = time.perf_counter()
        self._open: list[str] = []
        self._since = self._start

    def _settle(self) -> None:
        now = time.perf_counter()
        if self._open:
            name = self._open[-1]
            self._seconds[name] = self._seconds.get(name, 0.0) + now - self._since
        self._since = now

    @contextlib.contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Count the time inside the block as phase `name`."""
        self._settle()
        self._open.append(name)
        try:
            yield
        finally:
            self._settle()
            self._open.pop()

    def resume(self, earlier: Mapping[str, float]) -> None:
        """Add the seconds of earlier attempts, from a checkpoint."""
        for name, seconds in earlier.items():
            if name == "wall":
                self._wall += seconds
            else:
                self._seconds[name] = self._seconds.get(name, 0.0) + seconds

    def seconds(self) -> dict[str, float]:
        """Seconds by phase so far, with ``wall``."""
        self._settle()
        return {**self._seconds, "wall": self._wall + time.perf_counter() - self._start}


class Steps:
    """Durations of consecutive steps; on a GPU from device events, which are read only by `durations`.

    Call `mark` before the first step and after each step.
    """

    def __init__(self, device: torch.device) -> None:
        self._events: list[torch.cuda.Event] = []
        self._times: list[float] = []
        self._cuda = device.type == "cuda"

    def mark(self) -> None:
        """Mark the end of a step and the start of the next."""
        if self._cuda:
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]  # torch has no stub
            event.record()
            self._events.append(event)
        else:
            self._times.append(time.perf_counter())

    def durations(self) -> list[float]:
        """Seconds of each step; waits for the last step."""
        if self._cuda:
            if self._events:
                self._events[-1].synchronize()
            pairs = zip(self._events, self._events[1:], strict=False)
            return [a.elapsed_time(b) / 1000 for a, b in pairs]
        return [b - a for a, b in zip(self._times, self._times[1:], strict=False)]


def median_and_p95(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Median and 95th percentile (linear interpolation); None for an empty sequence."""
    if not values:
        return None, None
    series = torch.tensor(values, dtype=torch.float64)
    return float(series.quantile(0.5)), float(series.quantile(0.95))
