"""The heartbeat: others see how far a run is, and a worker does not outlive who wanted it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.execute import heartbeat as heart
from harness.execute.heartbeat import INTERVAL_S, Heartbeat
from harness.store.lease import Busy, Held
from harness.store.runs import RunFolder


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    with RunFolder(tmp_path).locked() as held:
        yield held


class Time:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(heart, "time", time)
    return time


def test_figures_add_up_to_what_is_known(tmp_path: Path, time: Time, held: Held) -> None:
    folder = RunFolder(tmp_path)
    beating = Heartbeat(folder, None, held)
    beating.beat({"attempts": 2, "phase": "train", "epoch": 1}, now=True)
    beating.beat({"epoch": 2}, now=True)
    where = {"pid": os.getpid(), "host": socket.gethostname()}
    assert folder.progress() == {"attempts": 2, "phase": "train", "epoch": 2, **where}


def test_a_note_is_told_at_once_and_once(tmp_path: Path, time: Time, held: Held) -> None:
    folder = RunFolder(tmp_path)
    beating = Heartbeat(folder, None, held)
    for text in ("a", "b", "a"):
        beating.note(text)
    assert folder.progress()["notes"] == ["a", "b"]


def test_a_beat_too_soon_costs_no_write_and_is_not_forgotten(tmp_path: Path, time: Time, held: Held) -> None:
    """Thousands of steps a second must not become thousands of files a second."""
    folder = RunFolder(tmp_path)
    beating = Heartbeat(folder, None, held)
    beating.beat({"step": 1})
    time.now += 0.9 * INTERVAL_S
    beating.beat({"step": 2, "loss": 0.5})
    assert folder.progress()["step"] == 1
    time.now += 0.2 * INTERVAL_S
    beating.beat({"step": 3})
    assert folder.progress()["step"] == 3
    assert folder.progress()["loss"] == 0.5


def test_a_worker_stops_when_its_parent_is_gone(tmp_path: Path, held: Held) -> None:
    folder = RunFolder(tmp_path)
    Heartbeat(folder, os.getppid(), held).beat({}, now=True)
    with pytest.raises(KeyboardInterrupt):
        Heartbeat(folder, os.getppid() + 1, held).beat({"phase": "train"}, now=True)
    assert folder.progress()["phase"] == "train"


def test_a_worker_stops_when_somebody_cancels_the_run(tmp_path: Path, held: Held) -> None:
    folder = RunFolder(tmp_path)
    beating = Heartbeat(folder, None, held)
    beating.beat({"phase": "train"}, now=True)
    folder.cancel()
    with pytest.raises(KeyboardInterrupt):
        beating.beat({"phase": "train"}, now=True)


def test_a_worker_that_was_taken_for_dead_writes_nothing_more(tmp_path: Path, held: Held) -> None:
    folder = RunFolder(tmp_path)
    beating = Heartbeat(folder, None, held)
    beating.beat({"epoch": 7}, now=True)
    (tmp_path / ".lease.000002").touch()
    with pytest.raises(Busy):
        beating.beat({"epoch": 8}, now=True)
    assert folder.progress()["epoch"] == 7
