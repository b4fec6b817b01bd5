"""``harness plugins new``: where it writes, what it refuses, and that its next steps can be taken."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_project import Project

from harness.cli.main import main
from harness.errors import OK, USAGE


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def new(*words):
    return main(["plugins", "new", *words])


def everything():
    return {str(path): path.read_text() for path in Path().rglob("*") if path.is_file()}


def test_a_distribution_is_a_folder_with_its_name(capsys):
    assert new("my-net", "--kind", "model", "--json") == OK
    told = json.loads(capsys.readouterr().out)
    assert told["path"] == "my-net"
    assert sorted(told["files"]) == sorted(everything())
    assert "my-net/harness_my_net/network.py" in told["files"]
    assert told["next"] == [
        "pip install -e my-net",
        "harness plugins check my-net",
        "harness run quick -m my-net --limit 2",
    ]


def test_a_single_file_is_one_file_where_there_is_a_board(capsys):
    Path("harness.toml").write_text("")
    assert new("my.loss", "--kind", "loss", "--single-file") == OK
    assert set(everything()) == {"harness.toml", "my_loss.py"}
    assert everything()["harness.toml"] == ""
    assert "harness plugins check my.loss -p my_loss.py" in capsys.readouterr().out


def test_an_empty_folder_gets_a_board_to_try_it_on():
    assert new("my-net", "--kind", "model", "--single-file") == OK
    assert set(everything()) == {"harness.toml", "my_net.py"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["My Net"], "'My Net' is not a valid plugin name"),
        (["My Net"], "such as my-net."),
        (["../net"], "is not a valid plugin name"),
        (["2d-net"], "such as d-net."),
        (["n" * 41], "up to 40"),
        (["net-"], "such as net."),
        (["unet2d"], "cardiac-harness 0.1.0 already registers a model 'unet2d'"),
        (["json", "--single-file"], "a module 'json' already exists"),
        (["lambda", "--single-file"], "is a Python keyword"),
        (["unet"], "a module 'harness_unet' already exists"),
        (["there"], "there: already exists"),
        (["there-too", "--single-file"], "there_too.py: already exists"),
    ],
)
def test_what_can_not_be_written_is_one_line_and_nothing_is(words, said, capsys):
    Path("there").mkdir()
    Path("there/notes.txt").write_text("mine")
    Path("there_too.py").write_text("mine")
    before = everything()
    assert new(*words, "--kind", "model") == USAGE
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert everything() == before


def test_the_same_name_can_be_of_another_kind():
    assert new("unet2d", "--kind", "loss", "--single-file") == OK


def test_the_next_steps_of_a_file_lead_to_a_rank(tmp_path, capsys):
    """From an empty folder, by the commands that it prints."""
    assert new("my-data", "--kind", "dataset", "--single-file", "--json") == OK
    steps = [shlex.split(step) for step in json.loads(capsys.readouterr().out)["next"]]
    assert [step[:3] for step in steps] == [
        ["python", "my_data.py", "example"],
        ["harness", "plugins", "check"],
        ["harness", "run", "quick"],
    ]
    project = Project(tmp_path)
    (_, *example), (_, *check), (_, *run) = steps
    subprocess.run([sys.executable, *example], check=True)
    # One net and one loss instead of all that the board lists.
    for words in (check, [*run, "-m", "unet2d[base=8]", "-l", "log-dice"]):
        result = project(*words)
        assert result.code == OK, result.out + result.err
    (board,) = Path("leaderboards").glob("quick@*/leaderboard.json")
    entries = [e for e in json.loads(board.read_text())["entries"] if e["dataset"] == "my-data"]
    assert [(e["model"], e["rank"]) for e in entries] == [("unet2d[base=8]", 1)]
