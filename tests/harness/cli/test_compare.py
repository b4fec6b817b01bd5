"""`harness compare` across places, and as a gate of a CI job."""

import json
import subprocess
from collections.abc import Callable

import made_records
import pytest
from tiny_project import Project

from harness.store.record import to_line

Copier = Callable[[Project], Project]


def records(value: float, loss: str = "ce", patients: int = 8) -> str:
    """A line of records.jsonl: an entry with the Dice `value`, give or take a little by patient."""
    scores = [made_records.score(f"p{n}", value + n / 1000) for n in range(patients)]
    return to_line(made_records.record(scores, entry=("unet2d", loss)))


def write(project: Project, folder: str, text: str) -> str:
    path = project.root / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / "records.jsonl").write_text(text)
    return folder


def test_folders_of_records_are_compared(project: Project) -> None:
    old, new = write(project, "old", records(0.80)), write(project, "new", records(0.85))
    done = project("compare", f"{old}::unet2d+ce", f"{new}::unet2d+ce", "--json")
    assert done.code == 0, done.err
    (compared,) = json.loads(done.out)
    assert (compared["a"], compared["b"]) == ("old::unet2d + ce", "new::unet2d + ce")
    assert compared["verdict"] == "better"
    (dice,) = compared["overall"]
    assert dice["difference"] == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("value", "arguments", "code"),
    [
        (0.79, (), 0),
        (0.79, ("--fail-if-worse",), 1),
        (0.79, ("--fail-if-worse", "0.02"), 0),
        (0.79, ("--fail-if-worse", "0.02", "--margin", "dice=0.001"), 1),
        (0.81, ("--fail-if-worse",), 0),
    ],
)
def test_a_worse_entry_fails_a_gate(
    project: Project, value: float, arguments: tuple[str, ...], code: int
) -> None:
    old, new = write(project, "old", records(0.80)), write(project, "new", records(value))
    done = project("compare", f"{old}::unet2d+ce", f"{new}::unet2d+ce", *arguments)
    assert done.code == code, done.err
    assert ("is worse in dice" in done.out) == bool(code)


def test_two_commits_are_compared(project: Project) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *who, *arguments], cwd=project.root, check=True, capture_output=True)

    git("init")
    for value in (0.8, 0.9):
        write(project, "leaderboards/tiny", records(value))
        git("add", "leaderboards")
        git("commit", "-m", f"{value}")
    done = project("compare", "git:HEAD~1::unet2d+ce", "git:HEAD::unet2d+ce", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)[0]["overall"][0]["difference"] == pytest.approx(0.1)
    unknown = project("compare", "git:nowhere::unet2d+ce", "git:HEAD::unet2d+ce")
    assert (unknown.code, len(unknown.err.strip().splitlines())) == (2, 1)
    assert "git says" in unknown.err


def test_runs_on_disk_are_compared_with_a_leaderboard(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    done = project("compare", "runs::tiny-net+log-dice", "tiny::tiny-net+log-dice", "--json")
    assert done.code == 0, done.err
    assert {one["verdict"] for one in json.loads(done.out)[0]["overall"]} == {"equivalent"}


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("nowhere::a+b", "neither a folder nor a leaderboard"),
        ("tiny::tiny-net+log-dise", "Did you mean 'tiny-net + log-dice'"),
    ],
)
def test_what_is_not_there_is_one_line(done_project: Project, entry: str, told: str) -> None:
    done = done_project("compare", "tiny-net+log-dice", entry)
    assert (done.code, len(done.err.strip().splitlines())) == (2, 1)
    assert told in done.err


@pytest.mark.parametrize("margin", ["dice", "dice=x", "dice=-1"])
def test_a_wrong_margin_is_one_line(done_project: Project, margin: str) -> None:
    done = done_project("compare", "tiny-net+log-dice", "tiny-net-3d+log-dice", "--margin", margin)
    assert (done.code, len(done.err.strip().splitlines())) == (2, 1)
