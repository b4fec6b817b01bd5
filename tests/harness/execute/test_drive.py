"""The driver records the ends that a worker could not record itself, and goes on with the next run."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import BUSY, INTERRUPTED
from harness.execute import drive as module
from harness.execute.drive import Outcome, drive
from harness.store.record import Record
from harness.store.runs import RunFolder, RunsFolder

Answer = Callable[[RunFolder], int | None]


def planned(name: str, state: str = "todo") -> Any:
    spec = {"keys": {"train": name}, "protocol": {"keep_predictions": False}}
    return SimpleNamespace(id=name, spec=spec, local={}, state=state)


def finished(folder: RunFolder, status: Any = "done") -> None:
    spec = folder.spec()
    folder.finish(Record(folder.id, spec["keys"], spec, status, {"message": "no"}))


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Answer]]:
    """What the worker of each run answers when it is looked at, attempt by attempt."""
    answers: dict[str, list[Answer]] = {"cancelled": []}

    class Scripted:
        def submit(self, path: Path) -> tuple[RunFolder, Answer]:
            return RunFolder(path), answers[path.name].pop(0)

        def poll(self, worker: tuple[RunFolder, Answer]) -> int | None:
            return worker[1](worker[0])

        def cancel(self, worker: tuple[RunFolder, Answer]) -> None:
            answers["cancelled"].append(worker[1])

    monkeypatch.setattr(module, "Local", Scripted)
    monkeypatch.setattr(module, "POLL_S", 0.001)
    return answers


def done(folder: RunFolder) -> int:
    finished(folder)
    return 0


def heard(*runs: Any, folder: Path, **options: Any) -> tuple[Outcome, list[tuple[str, str]]]:
    events: list[tuple[str, str]] = []
    outcome = drive(
        runs, RunsFolder(folder), lambda event, run, figures: events.append((event, run.id)), **options
    )
    return outcome, events


@pytest.mark.parametrize(
    ("code", "status", "blame", "words"),
    [
        (-signal.SIGKILL, "interrupted", "resource", "out of memory"),
        (-signal.SIGSEGV, "interrupted", "resource", "SIGSEGV"),
        (4, "failed", "harness", "log.txt"),
    ],
)
def test_a_worker_that_dies_leaves_a_reason_and_the_next_goes_on(
    tmp_path: Path, workers: dict[str, list[Answer]], code: int, status: str, blame: str, words: str
) -> None:
    workers.update(a=[lambda folder: code], b=[done])
    outcome, _ = heard(planned("a"), planned("b"), folder=tmp_path)
    assert outcome == Outcome(done=("b",), failed=("a",))
    record = RunFolder(tmp_path / "a").record()
    assert record is not None
    assert record.failure is not None
    assert (record.status, record.failure["blame"]) == (status, blame)
    assert words in record.failure["message"]


def test_a_run_past_its_time_is_stopped_and_told(tmp_path: Path, workers: dict[str, list[Answer]]) -> None:
    workers.update(a=[lambda folder: None])
    outcome, _ = heard(planned("a"), folder=tmp_path, timeout_s=0.01)
    record = RunFolder(tmp_path / "a").record()
    assert outcome.failed == ("a",)
    assert record is not None
    assert record.status == "timeout"
    assert record.failure == {
        "phase": "start",
        "blame": "resource",
        "message": "stopped after 0.01 s (--timeout)",
    }
    assert len(workers["cancelled"]) == 1


def test_a_run_that_another_process_took_is_asked_for_again(
    tmp_path: Path, workers: dict[str, list[Answer]]
) -> None:
    workers.update(a=[lambda folder: BUSY, done], b=[done])
    outcome, events = heard(planned("a"), planned("b"), folder=tmp_path)
    assert outcome == Outcome(done=("b", "a"), failed=())
    assert [run for event, run in events if event == "end"] == ["b", "a"]


def test_what_is_done_is_not_done_again(tmp_path: Path, workers: dict[str, list[Answer]]) -> None:
    outcome, events = heard(planned("a", "done"), folder=tmp_path)
    assert outcome.done == ("a",)
    assert events == []


def test_a_worker_that_was_interrupted_interrupts_us(
    tmp_path: Path, workers: dict[str, list[Answer]]
) -> None:
    workers.update(a=[lambda folder: INTERRUPTED], b=[done])
    with pytest.raises(KeyboardInterrupt):
        heard(planned("a"), planned("b"), folder=tmp_path)
    assert RunFolder(tmp_path / "a").record() is None
