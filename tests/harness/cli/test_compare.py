"""`harness compare` across places, and as a gate of a CI job."""

import json
from collections.abc import Callable
from dataclasses import replace

import made_records
import pytest
from repository import git
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


@pytest.mark.parametrize(("name", "told"), [("iou", "no scores of iou"), ("volume", "no better direction")])
def test_a_gate_that_guards_nothing_is_a_mistake(project: Project, name: str, told: str) -> None:
    old, new = write(project, "old", records(0.80)), write(project, "new", records(0.79))
    done = project("compare", f"{old}::unet2d+ce", f"{new}::unet2d+ce", "--metric", name, "--fail-if-worse")
    assert done.code == 2
    assert told in done.err


def test_too_few_patients_guard_nothing(project: Project) -> None:
    old, new = (
        write(project, name, records(value, patients=5)) for name, value in (("old", 0.8), ("new", 0.5))
    )
    done = project("compare", f"{old}::unet2d+ce", f"{new}::unet2d+ce", "--fail-if-worse")
    assert (done.code, len(done.err.strip().splitlines())) == (2, 1)
    assert "5 patients with dice on both sides are too few for a verdict" in done.err


def test_a_seed_that_happened_to_be_worse_passes_a_gate(project: Project) -> None:
    """Two trainings of each commit that differ by 0.02; the means of the two by 0.005 in every patient."""
    folders = []
    for name, values in (("old", (0.81, 0.79)), ("new", (0.805, 0.785))):
        lines = [
            to_line(
                made_records.record(
                    [made_records.score(f"p{n}", value + n / 1000) for n in range(8)],
                    entry=("unet2d", "ce"),
                    seed=seed,
                )
            )
            for seed, value in enumerate(values)
        ]
        folders.append(write(project, name, "".join(lines)))
    old, new = folders
    done = project("compare", f"{old}::unet2d+ce", f"{new}::unet2d+ce", "--fail-if-worse")
    assert done.code == 0, done.out
    assert "over the seeds of both sides" in " ".join(done.out.split())


def test_an_entry_behind_the_option_is_no_margin(project: Project) -> None:
    old, new = write(project, "old", records(0.80)), write(project, "new", records(0.85))
    done = project("compare", "--fail-if-worse", f"{old}::unet2d+ce", f"{new}::unet2d+ce")
    assert done.code == 2
    assert "is not a margin; write --fail-if-worse=0.01, or put the entries first" in done.err
    assert project("compare", "--fail-if-worse=0.01", f"{old}::unet2d+ce", f"{new}::unet2d+ce").code == 0


def test_another_definition_of_a_metric_is_one_line(project: Project) -> None:
    old, new = write(project, "old", records(0.80)), write(project, "new", records(0.85))
    lines = [json.loads((project.root / folder / "records.jsonl").read_text()) for folder in (old, new)]
    for version, line, folder in zip((1, 2), lines, (old, new), strict=True):
        line["spec"]["algorithms"] = {"prepare": 1, "train": 2, "score": version}
        write(project, folder, json.dumps(line) + "\n")
    done = project("compare", f"{old}::unet2d+ce", f"{new}::unet2d+ce")
    assert (done.code, len(done.err.strip().splitlines())) == (2, 1)
    assert "rescore" in done.err


def test_worse_by_less_than_the_margin_passes(project: Project) -> None:
    """Differences from -0.002 to -0.016, on average -0.009: worse, the interval excluding 0."""
    scores = [made_records.score(f"p{n}", 0.8 + n / 1000 - 0.002 - n / 500) for n in range(8)]
    new = write(project, "new", to_line(made_records.record(scores, entry=("unet2d", "ce"))))
    old = write(project, "old", records(0.80))
    for margin, code in (("0.008", 1), ("0.010", 0)):
        done = project("compare", f"{old}::unet2d+ce", f"{new}::unet2d+ce", "--fail-if-worse", margin)
        assert done.code == code, done.out
        assert "Overall, B is worse" in " ".join(done.out.split())


def test_a_structure_that_is_missing_fails_a_gate_and_is_named(project: Project) -> None:
    scores = [
        made_records.score(f"p{n}", 0.8, structure=structure) for n in range(8) for structure in ("LV", "RV")
    ]
    old = write(project, "old", to_line(made_records.record(scores, entry=("unet2d", "ce"))))
    new = write(project, "new", records(0.80))
    done = project("compare", f"{old}::unet2d+ce", f"{new}::unet2d+ce", "--fail-if-worse")
    assert done.code == 1
    told = " ".join(done.out.split())
    assert "Left out, because B has no scores: dice RV ED" in told
    assert "has no dice of RV ED" in told


def test_several_results_of_one_entry_are_not_averaged(project: Project) -> None:
    one = made_records.record([made_records.score("p1", 0.8)], entry=("unet2d", "ce"))
    protocols = replace(one, run_id="other", keys={**one.keys, "protocol": "x"})
    for other, told in ((protocols, "different protocols"), (replace(one, run_id="again"), "both of seed 0")):
        both = write(project, "both", f"{to_line(one)}{to_line(other)}")
        done = project("compare", f"{both}::unet2d+ce", f"{both}::unet2d+ce")
        assert done.code in (1, 2), done.out
        assert told in " ".join(done.err.split())


def commit(project: Project) -> None:
    git(project.root, "add", "leaderboards")
    git(project.root, "commit", "-m", "Tables")


@pytest.mark.parametrize("text", ["[", "[]", '{"left_out": [1]}', '{"left_out": 1}'])
def test_a_damaged_table_of_a_commit_is_one_line_with_its_place(project: Project, text: str) -> None:
    git(project.root, "init")
    write(project, "leaderboards/tiny", records(0.8))
    (project.root / "leaderboards" / "tiny" / "leaderboard.json").write_text(text)
    commit(project)
    for source in ("git:HEAD", project.root / "leaderboards" / "tiny"):
        done = project("compare", f"{source}::unet2d+ce", f"{source}::unet2d+ce")
        assert (done.code, len(done.err.strip().splitlines())) == (2, 1), done.err
        assert "leaderboards/tiny/leaderboard.json: is damaged" in done.err


def test_a_damaged_record_of_a_commit_is_one_line_with_its_place(project: Project) -> None:
    git(project.root, "init")
    write(project, "leaderboards/tiny", records(0.8) + "[]\n")
    commit(project)
    done = project("compare", "git:HEAD::unet2d+ce", "git:HEAD::unet2d+ce")
    assert (done.code, len(done.err.strip().splitlines())) == (2, 1), done.err
    assert "git:HEAD:leaderboards/tiny/records.jsonl:" in done.err


def test_two_commits_are_compared(project: Project) -> None:
    git(project.root, "init")
    for value in (0.8, 0.9):
        write(project, "leaderboards/tiny", records(value))
        commit(project)
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
    overall = json.loads(done.out)[0]["overall"]
    # The same runs; too few patients for any verdict.
    assert {(one["difference"], one["verdict"]) for one in overall} == {(0.0, "undecided")}
    assert all(one["n"] < 6 for one in overall)


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
