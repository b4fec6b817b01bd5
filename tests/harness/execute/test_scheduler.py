"""The scheduler records the ends that a worker could not record itself, and continues with the next run."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_specs import run_spec

from harness.contract.local import LocalPaths
from harness.contract.record import Failure
from harness.errors import BUSY, INTERRUPTED
from harness.execute import scheduler as module
from harness.execute.executor import Answer, Job, ResourceRequest
from harness.execute.scheduler import LOST_TRIES, ScheduleOutcome, schedule
from harness.store.record import Record
from harness.store.runs import RunFolder, RunsFolder
from harness.store.state import RunState, action_of

Act = Callable[[RunFolder], int | str | None]
"""What a worker does when it is looked at: its exit code, None while it runs, a text when it is lost."""


def planned(name: str, state: RunState = RunState.WAITING, seed: int = 0, fold: int = 0) -> Any:
    spec = run_spec(keys={"train": name}, run_id=name)
    local = LocalPaths("data", "cache", "manifest")
    action = action_of(state)
    return SimpleNamespace(id=name, spec=spec, local=local, state=state, action=action, seed=seed, fold=fold)


def finished(folder: RunFolder, status: Any = "done") -> None:
    spec = folder.spec()
    folder.finish(Record(folder.id, spec.keys, spec, status, Failure("train", "plugin", "no")))


def done(folder: RunFolder) -> int:
    finished(folder)
    return 0


def runs_on(folder: RunFolder) -> None:
    return None


class Scripted:
    """An executor whose workers do what a test says, attempt by attempt."""

    poll_s = 0.001

    def __init__(self, acts: dict[str, list[Act]], jobs: int = 1, leaves: bool = False) -> None:
        self.acts = acts
        self.leaves = leaves
        self.jobs = jobs
        self.running: dict[str, tuple[RunFolder, Act]] = {}
        self.most = 0
        self.submitted: list[str] = []
        self.cancelled: list[str] = []
        self.batches: list[int] = []

    def room(self, need: ResourceRequest) -> int:
        return self.jobs - len(self.running)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        self.batches.append(len(jobs))
        return [self.start(job) for job in jobs]

    def start(self, job: Job) -> str:
        name = job.folder.name
        handle = f"{name}-{self.submitted.count(name)}"
        self.submitted.append(name)
        self.running[handle] = (RunFolder(job.folder), self.acts[name].pop(0))
        self.most = max(self.most, len(self.running))
        return handle

    def poll(self, handle: str) -> Answer:
        folder, act = self.running[handle]
        code = act(folder)
        if code is None:
            return Answer("running")
        del self.running[handle]
        return Answer("lost", detail=code) if isinstance(code, str) else Answer("ended", code)

    def cancel(self, handle: str) -> None:
        self.cancelled.append(handle)
        self.running.pop(handle, None)

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RECHECK_S": 0.001, "SETTLE_S": 0.01, "TIMEOUT_GRACE_S": 0.0}.items():
        monkeypatch.setattr(module, name, value)


def heard(
    *runs: Any, executor: Scripted, folder: Path, **options: Any
) -> tuple[ScheduleOutcome, list[tuple[str, str]]]:
    events: list[tuple[str, str]] = []

    def listen(event: str, run: Any, figures: dict[str, Any]) -> None:
        events.append((event, run.id))

    return schedule(runs, RunsFolder(folder), listen, executor, **options), events


@pytest.mark.parametrize(
    ("code", "status", "blame", "words"),
    [
        (-signal.SIGKILL, "interrupted", "resource", "out of memory"),
        (-signal.SIGSEGV, "interrupted", "resource", "SIGSEGV"),
        (4, "failed", "harness", "log.txt"),
    ],
)
def test_a_worker_that_dies_leaves_a_reason_and_the_next_goes_on(
    tmp_path: Path, code: int, status: str, blame: str, words: str
) -> None:
    executor = Scripted({"a": [lambda folder: code], "b": [done]})
    outcome, _ = heard(planned("a"), planned("b"), executor=executor, folder=tmp_path)
    assert (outcome.done, outcome.failed) == (("b",), ("a",))
    record = RunFolder(tmp_path / "a").record()
    assert record is not None
    assert record.failure is not None
    assert (record.status, record.failure.blame) == (status, blame)
    assert words in record.failure.message


def test_a_worker_that_hangs_past_its_time_is_stopped_and_told(tmp_path: Path) -> None:
    executor = Scripted({"a": [runs_on]})
    outcome, _ = heard(planned("a"), executor=executor, folder=tmp_path, timeout_s=0.01)
    record = RunFolder(tmp_path / "a").record()
    assert outcome.failed == ("a",)
    assert record is not None
    assert record.status == "timeout"
    message = "stopped after 0.01 s (--timeout)"
    assert record.failure == Failure("start", "resource", message)
    assert executor.cancelled == ["a-0"]


def test_a_run_that_another_process_took_is_asked_for_again(tmp_path: Path) -> None:
    executor = Scripted({"a": [lambda folder: BUSY, done], "b": [done]})
    outcome, events = heard(planned("a"), planned("b"), executor=executor, folder=tmp_path)
    assert sorted(outcome.done) == ["a", "b"]
    assert outcome.failed == ()
    assert sorted(run for event, run in events if event == "end") == ["a", "b"]


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    outcome, events = heard(planned("a", RunState.DONE), executor=Scripted({}), folder=tmp_path)
    assert outcome.done == ("a",)
    assert events == []


def test_what_another_command_came_to_meanwhile_is_the_outcome_a_failure_too(tmp_path: Path) -> None:
    """Two commands that share a folder: a run that one of them saw fail is not tried by the other."""
    other = RunFolder(tmp_path / "b")

    def and_b_fails(folder: RunFolder) -> int:
        other.plan(planned("b").spec)
        finished(other, "failed")
        return done(folder)

    executor = Scripted({"a": [and_b_fails]})
    outcome, _ = heard(planned("a"), planned("b"), executor=executor, folder=tmp_path)
    assert (outcome.done, outcome.failed) == (("a",), ("b",))
    assert executor.submitted == ["a"]


def test_a_failure_of_an_earlier_command_is_tried_again(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "a")
    folder.plan(planned("a").spec)
    finished(folder, "failed")
    outcome, _ = heard(planned("a"), executor=Scripted({"a": [done]}), folder=tmp_path)
    assert outcome.done == ("a",)


def test_an_interrupt_stops_all_workers(tmp_path: Path) -> None:
    def interrupt(folder: RunFolder) -> int:
        raise KeyboardInterrupt

    executor = Scripted({"a": [runs_on], "b": [interrupt]}, jobs=2)
    with pytest.raises(KeyboardInterrupt):
        heard(planned("a"), planned("b"), executor=executor, folder=tmp_path)
    assert "a-0" in executor.cancelled
    assert RunFolder(tmp_path / "a").record() is None


def test_a_worker_that_was_stopped_alone_leaves_the_others(tmp_path: Path) -> None:
    executor = Scripted({"a": [lambda folder: INTERRUPTED], "b": [done]})
    outcome, _ = heard(planned("a"), planned("b"), executor=executor, folder=tmp_path)
    assert (outcome.done, outcome.cancelled) == (("b",), ("a",))
    assert RunFolder(tmp_path / "a").record() is None


def test_as_many_runs_at_once_as_there_is_room_for(tmp_path: Path) -> None:
    names = [f"r{number}" for number in range(7)]
    executor = Scripted({name: [done] for name in names}, jobs=3)
    outcome, _ = heard(*map(planned, names), executor=executor, folder=tmp_path)
    assert sorted(outcome.done) == names
    assert executor.most == 3


def test_a_fold_of_all_entries_comes_before_the_next(tmp_path: Path) -> None:
    runs = [
        planned(f"{entry}{seed}{fold}", seed=seed, fold=fold)
        for entry in "ab"
        for seed in (0, 1)
        for fold in (0, 1)
    ]
    executor = Scripted({run.id: [done] for run in runs})
    heard(*runs, executor=executor, folder=tmp_path)
    assert executor.submitted == ["a00", "b00", "a01", "b01", "a10", "b10", "a11", "b11"]


def test_a_run_whose_machine_is_lost_goes_on_elsewhere_but_not_for_ever(tmp_path: Path) -> None:
    executor = Scripted(
        {"a": [lambda folder: "node 3 is down", done], "b": [lambda folder: "gone"] * LOST_TRIES}
    )
    outcome, events = heard(planned("a"), planned("b"), executor=executor, folder=tmp_path)
    assert (outcome.done, outcome.failed) == (("a",), ("b",))
    assert ("lost", "a") in events
    record = RunFolder(tmp_path / "b").record()
    assert record is not None
    assert record.failure is not None
    assert record.failure.blame == "resource"


def test_a_cancelled_run_is_neither_done_nor_failed_and_goes_on_when_asked_for_again(tmp_path: Path) -> None:
    def cancelled(folder: RunFolder) -> int:
        folder.cancel()
        return INTERRUPTED

    executor = Scripted({"a": [cancelled, done], "b": [done]})
    outcome, _ = heard(planned("a"), planned("b"), executor=executor, folder=tmp_path)
    assert (outcome.done, outcome.cancelled) == (("b",), ("a",))
    outcome, _ = heard(planned("a"), executor=executor, folder=tmp_path)
    assert outcome.done == ("a",)
    assert not RunFolder(tmp_path / "a").cancelled()


def test_what_is_cancelled_before_its_turn_never_starts(tmp_path: Path) -> None:
    """All that is planned has a folder from the start on, so that it can be seen and cancelled."""

    def cancels_the_next(folder: RunFolder) -> int:
        RunsFolder(tmp_path).run("b").cancel()
        return done(folder)

    executor = Scripted({"a": [cancels_the_next], "b": [done], "c": [done]})
    outcome, _ = heard(*map(planned, "abc"), executor=executor, folder=tmp_path)
    assert (outcome.done, outcome.cancelled) == (("a", "c"), ("b",))
    assert executor.submitted == ["a", "c"]


def test_a_wish_to_stop_outlasts_other_commands_that_wait_for_the_run(tmp_path: Path) -> None:
    """Another command has the run; it is cancelled while this one waits, which must not start it anew."""
    folder = RunsFolder(tmp_path).run("a")
    folder.plan(planned("a").spec)
    executor = Scripted({"a": [done], "b": [done]})

    def listen(event: str, run: Any, figures: dict[str, Any]) -> None:
        if event == "wait":
            folder.cancel()
            held.close()

    with contextlib.ExitStack() as held:
        held.enter_context(folder.locked())
        outcome = schedule([planned("a"), planned("b")], RunsFolder(tmp_path), listen, executor)
    assert (outcome.done, outcome.cancelled) == (("b",), ("a",))
    assert folder.cancelled()


def test_what_still_waits_in_an_engine_is_taken_out_of_it(tmp_path: Path) -> None:
    executor = Scripted({"a": [lambda folder: None]})
    looks: list[str] = []

    def poll(handle: str) -> Answer:
        looks.append(handle)
        RunFolder(tmp_path / "a").cancel()
        return Answer("queued")

    executor.poll = poll  # type: ignore[method-assign]
    outcome, _ = heard(planned("a"), executor=executor, folder=tmp_path)
    assert outcome.cancelled == ("a",)
    assert executor.cancelled == ["a-0"]


def test_what_there_was_no_room_for_is_told(tmp_path: Path) -> None:
    executor = Scripted({name: [runs_on] for name in "abc"}, jobs=2, leaves=True)
    outcome, _ = heard(*map(planned, "abc"), executor=executor, folder=tmp_path, detach=True)
    assert (len(outcome.left), outcome.unsubmitted) == (2, 1)


def test_a_queue_that_outlives_the_command_is_watched_by_the_next_one(tmp_path: Path) -> None:
    """Submitted and left; the second command finds the jobs by their handles and submits nothing twice."""
    ends: dict[str, Callable[[RunFolder], int | None]] = {"a": runs_on, "b": runs_on}
    executor = Scripted(
        {name: [lambda folder: ends[folder.id](folder)] for name in ends}, jobs=9, leaves=True
    )
    outcome, _ = heard(planned("a"), planned("b"), executor=executor, folder=tmp_path, detach=True)
    assert sorted(outcome.left) == ["a", "b"]
    assert executor.cancelled == []
    ends.update(a=done, b=done)
    outcome, _ = heard(planned("a"), planned("b"), executor=executor, folder=tmp_path)
    assert sorted(outcome.done) == ["a", "b"]
    assert executor.submitted == ["a", "b"]


def test_the_time_in_which_no_run_was_at_work_is_told(tmp_path: Path) -> None:
    outcome, _ = heard(planned("a"), executor=Scripted({"a": [done]}), folder=tmp_path)
    assert 0 <= outcome.outside <= 1
    assert outcome.wall_s > 0
