"""Observers hear of runs where they were told to report; none of them can change a run or fail it."""

import json
from pathlib import Path

import pytest
from tiny_project import Project

OBSERVER = """
from pathlib import Path
from harness import hookimpl

def write(place, line):
    with Path(place).open("a") as file:
        file.write(line + "\\n")

@hookimpl
def harness_run_started(run, place):
    write(place, "started " + run["model"]["name"])

@hookimpl
def harness_epoch_ended(epoch, place):
    write(place, f"epoch {epoch['epoch']} of {epoch['epochs']}")

@hookimpl
def harness_run_finished(record, cases, place):
    write(place, f"{record['status']} with {len(cases)} scores")
"""

VANDAL = """
from harness import hookimpl

@hookimpl
def harness_run_started(run):
    run["keys"]["train"] = run["protocol"]["learning_rate"] = "mine now"
    raise RuntimeError("not started")

@hookimpl
def harness_epoch_ended(epoch):
    epoch["loss"] = 0.0
    raise SystemExit(3)

@hookimpl
def harness_run_finished(record, cases):
    cases.clear()
    record["status"] = "failed"
    import no_such_tracker
"""


def scored(run: Path) -> dict[str, object]:
    """What a table is made from, without the clocks."""
    record = json.loads((run / "record.json").read_text())
    return {
        **{name: record[name] for name in ("keys", "spec", "status", "history")},
        "cases": (run / "cases.jsonl").read_text(),
    }


def test_an_observer_reports_where_it_is_told(project: Project) -> None:
    (project.root / "diary.py").write_text(OBSERVER)
    args = ("run", "tiny", "-p", "diary.py", "-m", "tiny-net", "--observe", "diary=seen.txt")
    result = project(*args)
    assert result.code == 0, result.err
    lines = (project.root / "seen.txt").read_text().splitlines()
    epochs = [f"epoch {number} of 4" for number in range(1, 5)]
    # Two test patients at ED and ES, six metrics, three structures.
    assert lines == ["started tiny-net", *epochs, "done with 72 scores"]
    assert project(*args).code == 0
    assert (project.root / "seen.txt").read_text().splitlines() == lines  # a run that is done is not run


def test_harness_toml_says_it_once_for_all(project: Project) -> None:
    (project.root / "diary.py").write_text(OBSERVER)
    file = project.root / "harness.toml"
    file.write_text(file.read_text() + '\n[observers]\ndiary = "seen.txt"\n')
    assert project("run", "tiny", "-p", "diary.py", "-m", "tiny-net").code == 0
    assert (project.root / "seen.txt").exists()


def test_an_observer_that_fails_everywhere_changes_nothing(project: Project, done_project: Project) -> None:
    (project.root / "vandal.py").write_text(VANDAL)
    result = project("run", "tiny", "-p", "vandal.py", "-m", "tiny-net")
    assert result.code == 0, result.err
    (run,) = project.run_folders()
    (same,) = (other for other in done_project.run_folders() if other.name == run.name)
    assert scored(run) == scored(same)
    notes = [" ".join(line.split()) for line in result.err.splitlines() if line.startswith("note: harness_")]
    told = ["RuntimeError: not started", "SystemExit: 3", "No module named 'no_such_tracker'"]
    assert len(notes) == len(told)
    for note, words in zip(notes, told, strict=True):
        assert words in note
        assert "vandal.py:" in note
    assert notes[-1].endswith("Install the package that provides 'no_such_tracker'.")
    log = (run / "log.txt").read_text()
    assert log.count("harness_epoch_ended of vandal.py failed") == 4


def test_where_a_run_is_reported_is_in_no_key(project: Project) -> None:
    assert project("run", "tiny", "-m", "tiny-net").code == 0
    (project.root / "diary.py").write_text(OBSERVER)
    result = project("run", "tiny", "-p", "diary.py", "-m", "tiny-net", "--observe", "diary=seen.txt")
    assert "1 runs (1 done)" in result.err
    (run,) = project.run_folders()
    for name in ("record.json", "spec.json"):
        assert "seen.txt" not in (run / name).read_text()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tensorbord=DIR", "Did you mean 'tensorboard'?"),
        ("harness_plugins=DIR", "no plugin 'harness_plugins' observes runs"),
        ("tensorboard", "is not NAME=PLACE"),
        ("tensorboard=", "is not NAME=PLACE"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(project: Project, text: str, told: str) -> None:
    result = project("run", "tiny", "--observe", text)
    assert result.code == 2
    assert told in result.err
    assert not project.run_folders()


def test_a_mistake_in_harness_toml_names_the_file(project: Project) -> None:
    file = project.root / "harness.toml"
    file.write_text(file.read_text() + '\n[observers]\ntensorbord = "boards"\n')
    result = project("run", "tiny")
    assert result.code == 2
    assert "harness.toml: [observers]: no plugin 'tensorbord' observes runs" in result.err
