"""`harness run` as a user meets it: results, failures, changes, and other people's plugins."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_project import Project

Copier = Callable[[Project], Project]


def leaderboard(project: Project, name: str = "tiny") -> dict[str, Any]:
    return json.loads((project.root / "leaderboards" / name / "leaderboard.json").read_text())


def test_run_ends_with_a_ranked_table_and_four_files(done_project: Project) -> None:
    again = done_project("run", "tiny")
    assert again.code == 0
    assert "start" not in again.err
    assert "2 done" in again.err
    for text in ("tiny-net", "tiny-net-3d", "log-dice", "Dice", "2 test patients"):
        assert text in again.out
    folder = done_project.root / "leaderboards" / "tiny"
    names = {path.name for path in folder.iterdir()}
    assert names >= {"leaderboard.md", "leaderboard.csv", "leaderboard.json", "records.jsonl"}
    board = leaderboard(done_project)
    assert [entry["rank"] for entry in board["entries"]] == [1, 2]
    with (folder / "leaderboard.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 6 * 3 * 2  # entries, metrics, structures, phases


def test_training_learned_something_real(done_project: Project) -> None:
    """A bright disc on dark ground is learned in four epochs; an untrained net is nowhere near."""
    best = leaderboard(done_project)["entries"][0]
    lv = best["scores"]["dice"]["LV"]
    assert min(lv[phase]["mean"] for phase in ("ED", "ES")) > 0.7
    assert all(lv[phase]["n"] == 2 for phase in ("ED", "ES"))


def test_a_second_run_gives_the_same_bytes(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    folder = project.root / "leaderboards" / "tiny"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert project("run", "tiny").code == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_tables_are_rebuilt_from_committed_records_without_runs_or_data(
    done_project: Project, copy_of: Copier
) -> None:
    project = copy_of(done_project)
    folder = project.root / "leaderboards" / "tiny"
    before = (folder / "leaderboard.json").read_bytes()
    for run in project.run_folders():
        for file in run.iterdir():
            file.unlink()
        run.rmdir()
    (folder / "leaderboard.json").unlink()
    assert project("leaderboard", "tiny").code == 0
    assert (folder / "leaderboard.json").read_bytes() == before


def test_nothing_of_this_machine_is_in_what_is_committed(done_project: Project) -> None:
    for path in (done_project.root / "leaderboards" / "tiny").iterdir():
        assert str(done_project.root) not in path.read_text()
        assert str(Path.home()) + "/" not in path.read_text()


def test_failures_are_rows_with_reasons_and_the_others_go_on(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    models = ("tiny-net", "wrong-shape", "raises", "hungry", "dies")
    result = project("run", "tiny", *(word for model in models for word in ("-m", model)))
    assert result.code == 1
    entries = {entry["model"]: entry for entry in leaderboard(project)["entries"]}
    assert {entries[name]["state"] for name in ("wrong-shape", "raises", "hungry")} == {"failed"}
    assert entries["dies"]["state"] == "failed"
    assert entries["tiny-net"]["rank"] == 2
    told = " ".join(result.out.split())
    assert "expected (6, 4, 24, 24)" in told
    assert "harness_plugins.py:" in told
    assert "something in my network is wrong" in told
    assert "SIGKILL" in told
    blames = {}
    for run in project.run_folders():
        record = json.loads((run / "record.json").read_text())
        if record["failure"]:
            blames[record["spec"]["model"]["name"]] = (record["status"], record["failure"]["blame"])
    assert blames == {
        "wrong-shape": ("failed", "plugin"),
        "raises": ("failed", "plugin"),
        "hungry": ("out-of-memory", "resource"),
        "dies": ("interrupted", "resource"),
    }


def test_a_loss_that_is_nan_is_told_with_a_remedy(project: Project) -> None:
    result = project("run", "tiny", "-m", "tiny-net", "-l", "nan-loss")
    assert result.code == 1
    assert "the loss is nan in epoch 1" in " ".join(result.err.split())
    assert "protocol.learning_rate" in result.out + result.err


def test_a_run_that_takes_too_long_is_stopped_and_goes_on_later(project: Project) -> None:
    args = ("run", "tiny", "-m", "slow[pause_s=0.4]")
    result = project(*args, "--timeout", "4")
    assert result.code == 1
    (run,) = project.run_folders()
    assert json.loads((run / "record.json").read_text())["status"] == "timeout"
    assert "--timeout" in result.out
    assert project("plan", "tiny", "-m", "slow[pause_s=0.4]").out.count("stopped after 4 s") == 1
    assert project(*args).code == 0


def test_set_makes_another_leaderboard_and_leaves_the_committed_one(
    done_project: Project, copy_of: Copier
) -> None:
    project = copy_of(done_project)
    before = (project.root / "leaderboards" / "tiny" / "leaderboard.json").read_bytes()
    result = project("run", "tiny", "-m", "tiny-net", "--set", "protocol.epochs=1")
    assert result.code == 0, result.err
    assert (project.root / "leaderboards" / "tiny" / "leaderboard.json").read_bytes() == before
    (trial,) = (project.root / "leaderboards").glob("tiny@*")
    entries = leaderboard(project, trial.name)["entries"]
    assert [(e["model"], e["state"]) for e in entries] == [
        ("tiny-net", "done"),
        ("tiny-net-3d", "waiting"),
    ]
    shown = project("leaderboard", "tiny").out
    assert "Left out" not in shown


def test_new_metrics_score_again_without_training(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    metrics = 'protocol.metrics=["dice", "hd", "nsd@2mm"]'
    weights = {run: (run / "weights.pt").stat().st_mtime_ns for run in project.run_folders()}
    plan = project("plan", "tiny", "--set", metrics)
    assert re.findall(r"^outdated +(\w+)", plan.out, re.MULTILINE) == ["predict"] * 2
    result = project("run", "tiny", "--set", metrics)
    assert result.code == 0, result.err
    assert {run: (run / "weights.pt").stat().st_mtime_ns for run in project.run_folders()} == weights
    (trial,) = (project.root / "leaderboards").glob("tiny@*")
    assert "nsd@2mm" in leaderboard(project, trial.name)["entries"][0]["overall"]


MY_MODEL = """
from harness import Model, hookimpl

@hookimpl
def harness_models():
    yield Model("mine", "my_model:net", dims=2, summary="one wide convolution")

def net(task):
    from torch import nn
    return nn.Conv2d(task.channels, task.classes, 7, padding=3)
"""


def test_a_model_from_one_file_is_ranked_among_all_by_being_named(
    done_project: Project, copy_of: Copier
) -> None:
    project = copy_of(done_project)
    (project.root / "my_model.py").write_text(MY_MODEL)
    result = project("run", "tiny", "-p", "my_model.py", "-m", "mine")
    assert result.code == 0, result.err
    assert "1 runs (1 waiting)" in result.err
    assert "Showing 1 of 3 entries" in " ".join(result.out.split())
    assert "mine + log-dice ranks 3 of 3" in result.out
    assert "behind tiny-net-3d + log-dice (0." in result.out or "behind tiny-net + log-dice (0." in result.out
    assert len(leaderboard(project)["entries"]) == 3
    # It stays on the leaderboard when the file is no longer given.
    assert "mine" in project("leaderboard", "tiny").out


def test_parameters_make_entries_of_their_own(done_project: Project, copy_of: Copier) -> None:
    project = copy_of(done_project)
    assert project("run", "tiny", "-m", "tiny-net[maps=2]").code == 0
    models = {entry["model"] for entry in leaderboard(project)["entries"]}
    assert models == {"tiny-net", "tiny-net-3d", "tiny-net[maps=2]"}


def test_seeds_are_runs_of_one_entry(project: Project) -> None:
    result = project("run", "tiny", "-m", "tiny-net", "--set", "protocol.seeds=[0, 1]")
    assert result.code == 0, result.err
    assert len(project.run_folders()) == 2
    (table,) = (project.root / "leaderboards").iterdir()
    entry, other = leaderboard(project, table.name)["entries"]
    assert entry["rank"] == 1
    assert other["state"] == "waiting"
    assert len(entry["runs"]) == 2
    weights = [(run / "weights.pt").read_bytes() for run in project.run_folders()]
    assert weights[0] != weights[1]
    # As each ended, its own mean was told; the entry's is theirs.
    told = [float(mean) for mean in re.findall(r"^done tiny-net.*: dice ([\d.]+)$", result.err, re.MULTILINE)]
    assert len(told) == 2
    assert sum(told) / 2 == pytest.approx(entry["overall"]["dice"], abs=1e-3)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("run", "tini"), "Did you mean 'tiny'"),
        (("run", "tiny", "-m", "tiny-nett"), "Did you mean 'tiny-net"),
        (("run", "tiny", "-m", "tiny-net[map=3]"), "Did you mean 'maps'"),
        (("run", "tiny", "-l", "log-dise"), "Did you mean 'log-dice'"),
        (("run", "tiny", "--set", "protocol.epoch=1"), "Did you mean 'epochs'"),
        (("run", "tiny", "--set", "protocol.class_weights.LVV=1"), "Did you mean 'LV'"),
        (("run", "tiny", "--data", "acdc"), "is not NAME=PATH"),
        (("run", "tiny", "-d", "acdc", "--data", "acdc=nowhere"), "creatis.insa-lyon.fr"),
        (("run", "tiny", "-p", "nofile.py"), "nofile.py"),
        (("run", "tiny", "-x", "local[jobs=two]"), "jobs = 'two'"),
        (("run", "tiny", "-x", "local[jobs=-1]"), "greater than or equal to 1"),
        (("leaderboard", "tiny"), "harness run tiny"),
        (("leaderboard", "tiny", "--view", "sumary"), "tiny"),
        (("compare", "a+b", "c+d"), "no leaderboard has finished runs"),
        (("plan", "tiny", "--explain", "nothing"), "no run of this plan"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_code_2(
    project: Project, args: tuple[str, ...], told: str
) -> None:
    result = project(*args)
    assert result.code == 2
    assert told in result.err
    lines = [line for line in result.err.splitlines() if line.startswith("harness: ")]
    assert len(lines) == 1
    assert "Traceback" not in result.err
    assert not project.run_folders()


def test_limit_tries_everything_out_and_touches_no_other_table(
    done_project: Project, copy_of: Copier
) -> None:
    project = copy_of(done_project)
    tried = project("run", "tiny", "--limit", "2", "-m", "tiny-net")
    assert tried.code == 0, tried.err
    (folder,) = project.root.glob("leaderboards/tiny@*")
    record = json.loads((folder / "records.jsonl").read_text().splitlines()[0])
    assert len(record["history"]) == 1
    assert record["time_s"]["steps"] == 1  # of two, the first is warm-up
    assert record["time_s"]["volume_n"] == 2  # of four test cases
    assert leaderboard(project) == leaderboard(done_project)
