"""`harness time` and `harness plan --preflight`: figures before and after a run."""

import json
from collections.abc import Callable

import pytest
from tiny_project import Project

Copier = Callable[[Project], Project]


def test_entries_are_timed_on_the_same_volumes_in_turns(done_project: Project) -> None:
    done = done_project(
        "time", "tiny-net+log-dice", "tiny-net-3d+log-dice", "--rounds", "2", "--volumes", "3", "--json"
    )
    assert done.code == 0, done.err
    answer = json.loads(done.out)
    assert answer["volumes"] == ["p06_ED", "p06_ES", "p07_ED"]
    assert {name: len(seconds) for name, seconds in answer["seconds"].items()} == {
        "tiny-net + log-dice": 6,
        "tiny-net-3d + log-dice": 6,
    }
    assert all(second > 0 for seconds in answer["seconds"].values() for second in seconds)
    table = done_project("time", "tiny-net+log-dice", "tiny-net-3d+log-dice", "--rounds", "1")
    assert table.code == 0, table.err
    assert "1.00" in table.out
    assert "in turns" in table.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("tiny-net+log-dicee",), "Did you mean 'tiny-net + log-dice'"),
        (("tiny-net+log-dice", "--rounds", "0"), "must be at least 1"),
    ],
)
def test_what_can_not_be_timed_is_one_line(
    done_project: Project, arguments: tuple[str, ...], told: str
) -> None:
    done = done_project("time", *arguments)
    assert (done.code, len(done.err.strip().splitlines())) == (2, 1)
    assert told in done.err


def test_weights_that_are_elsewhere_can_not_be_timed(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    for weights in project.root.glob("runs/*/weights.pt"):
        weights.unlink()
    done = project("time", "tiny-net+log-dice")
    assert done.code == 2
    assert "its weights are not on this machine" in done.err


def test_preflight_tells_memory_and_time_and_starts_nothing(project: Project) -> None:
    planned = project("plan", "tiny", "--preflight", "--json")
    assert planned.code == 0, planned.err
    for run in json.loads(planned.out)["runs"]:
        assert run["preflight"]["failure"] is None
        assert run["preflight"]["memory_mib"] > 50
        assert 0 < run["preflight"]["seconds"] < 60
    assert "Preflight:" in project("plan", "tiny", "--preflight").out
    assert not project.run_folders()


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("hungry", "out of memory"),
        ("wrong-shape", "forward returned logits"),
        ("dies", "may have run out of memory"),
    ],
)
def test_preflight_finds_what_would_fail_after_hours(project: Project, model: str, told: str) -> None:
    planned = project("plan", "tiny", "-m", model, "--preflight", "--json")
    assert planned.code == 1, planned.err
    (run,) = json.loads(planned.out)["runs"]
    assert told in run["preflight"]["failure"]
