"""The Python API: what a listener hears, what outcomes look like, and wrong arguments."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tiny_project import Project

from harness import Session
from harness.errors import HarnessError
from harness.session import running
from harness.session.events import RunEvent, SessionEvent


def test_a_listener_hears_few_lines_and_outcomes_have_short_texts(project: Project) -> None:
    session = Session(project.root / "harness.toml")
    events: list[SessionEvent] = []
    outcome = session.run("tiny", models=["tiny-net"], on_event=events.append)
    lines = [str(event) for event in events]
    assert lines[-1] == "1 done"
    assert lines[-2].endswith("seed 0, fold 0: done")
    # A start, an end, and one for each phase and epoch.
    assert sum(isinstance(event, RunEvent) for event in events) < 15, lines
    assert repr(outcome) == "RunsOutcome(tiny: 1 done)"
    (run,) = outcome.plan.runs
    assert repr(run) == f"PlannedRun({run.id!r}, waiting: {run.reason})"


def test_heartbeats_that_say_nothing_new_are_not_passed_on() -> None:
    news = running._News(60.0)
    assert not news.in_heartbeat("a", {})
    assert news.in_heartbeat("a", {"phase": "train", "epoch": 1})
    assert not news.in_heartbeat("a", {"phase": "train", "epoch": 1, "step": 2})
    assert news.in_heartbeat("b", {"phase": "train", "epoch": 1})
    assert news.in_heartbeat("a", {"phase": "train", "epoch": 2})
    assert news.in_heartbeat("a", {"phase": "predict", "epoch": 2})
    news = running._News(0.0)
    assert news.in_heartbeat("a", {"phase": "predict", "epoch": 2})
    assert not news.in_heartbeat("a", {"phase": "predict", "epoch": 2})
    assert news.in_heartbeat("a", {"phase": "predict", "epoch": 2, "predicted": 1})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda s: s.plan("tiny", models="tiny-net"),
            r"string 'tiny-net'\. Write \['tiny-net'\]",
        ),
        (lambda s: s.plan("tiny", overrides="protocol.epochs=1"), "overrides is the string"),
        (lambda s: s.compare("tiny-net+log-dice", "tiny-net-3d+log-dice", metrics="dice"), "metrics is the"),
        (lambda s: s.status("tiny", runs="tiny*"), r"runs is the string"),
        (lambda s: s.run("tiny", timeout_s=-1), "a timeout of -1 s. Give a finite number above 0"),
        (lambda s: s.run("tiny", timeout_s=float("nan")), "a timeout of nan s"),
        (lambda s: s.retry("tiny", blame=["plugn"]), "no blame 'plugn'. Did you mean 'plugin'"),
        (lambda s: s.rescore("tiny", engine="medpi"), "no scoring engine 'medpi'"),
        (lambda s: s.time(), "no entries are named"),
        (lambda s: s.cancel(), r"no runs are selected\. Name"),
    ],
)
def test_a_wrong_argument_is_reported_before_anything_happens(
    done_project: Project, call: Callable[[Session], object], message: str
) -> None:
    with pytest.raises(HarnessError, match=message):
        call(Session(done_project.root / "harness.toml"))


def test_a_tilde_in_the_path_of_a_project_is_the_home_folder(
    done_project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(done_project.root))
    assert Session("~/harness.toml").leaderboards == ("tiny",)
