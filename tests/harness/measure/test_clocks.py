"""Clocks: every second is counted once, under the right name."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.measure import clocks
from harness.measure.clocks import Phases, Steps, median_and_p95


class Time:
    """A clock that goes on when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(clocks, "time", time)
    return time


def test_phases_and_what_lies_between_add_up_to_the_wall(time: Time) -> None:
    clock = Phases()
    with clock("train"):
        time.now += 5
    time.now += 1
    with clock("score"):
        time.now += 2
    with clock("train"):
        time.now += 4
    assert clock.seconds() == {"train": 9, "score": 2, "wall": 12}


def test_an_inner_phase_is_taken_out_of_the_outer_one(time: Time) -> None:
    clock = Phases()
    with clock("train"):
        time.now += 3
        with clock("validate"):
            time.now += 10
        time.now += 4
    assert clock.seconds() == {"train": 7, "validate": 10, "wall": 17}


def test_a_phase_that_fails_is_counted_and_closed(time: Time) -> None:
    clock = Phases()

    def fail() -> None:
        time.now += 3
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), clock("train"):
        fail()
    time.now += 50
    assert clock.seconds() == {"train": 3, "wall": 53}


def test_looking_at_a_running_clock_changes_nothing(time: Time) -> None:
    clock = Phases()
    with clock("train"):
        time.now += 2
        assert clock.seconds() == {"train": 2, "wall": 2}
        time.now += 3
    assert clock.seconds() == {"train": 5, "wall": 5}


def test_a_resumed_run_goes_on_from_what_was_used_before(time: Time) -> None:
    """Otherwise a run that was killed twice would look cheap on the leaderboard."""
    earlier = {"train": 100.0, "wall": 120.0}
    given_at_start, given_later = Phases(earlier), Phases()
    given_later.resume(earlier)
    for clock in (given_at_start, given_later):
        start = time.now
        with clock("train"):
            time.now += 5
        assert time.now - start == 5
    assert given_later.seconds() == {"train": 105, "wall": 130}
    assert given_at_start.seconds() == {"train": 105, "wall": 130}
    assert earlier == {"train": 100.0, "wall": 120.0}


def test_steps_last_from_mark_to_mark(time: Time) -> None:
    steps = Steps(torch.device("cpu"))
    assert steps.durations() == []
    for pause in (0, 1, 2, 5):
        time.now += pause
        steps.mark()
    assert steps.durations() == [1, 2, 5]


def test_median_and_p95_of_known_values() -> None:
    assert median_and_p95([]) == (None, None)
    assert median_and_p95([3.0]) == (3.0, 3.0)
    # Linear interpolation: position 0.95 * 100 of 0 to 100.
    assert median_and_p95([float(n) for n in range(101)]) == (50.0, 95.0)
    assert median_and_p95([1.0, 2.0]) == (1.5, pytest.approx(1.95))


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=50))
def test_median_and_p95_as_numpy_has_them(values: list[float]) -> None:
    import numpy as np

    expected = [np.quantile(values, q) for q in (0.5, 0.95)]
    assert median_and_p95(values) == pytest.approx(expected, abs=1e-9)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_steps_on_a_gpu_count_what_the_device_did() -> None:
    steps = Steps(torch.device("cuda"))
    x = torch.randn(2048, 2048, device="cuda")
    steps.mark()
    for _ in range(3):
        x = x @ x
        steps.mark()
    assert len(steps.durations()) == 3
    assert all(seconds > 0 for seconds in steps.durations())
