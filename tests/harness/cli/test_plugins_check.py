"""``harness plugins check``: what a plugin's author sees."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.errors import OK, RUNS_FAILED, USAGE
from harness.testing import checks_for

TINY = Path(__file__).parents[2] / "kit" / "tiny" / "harness_plugins.py"

TWO = """
from harness import Loss, Model, hookimpl

@hookimpl
def harness_models():
    yield Model("good-net", "two_nets:good", 2, "a model", defaults={"maps": 8})
    yield Model("bad-net", "two_nets:bad", 2, "forgets a class")

@hookimpl
def harness_losses():
    yield Loss("good-net", "two_nets:loss", "a loss with a model's name")

def good(task, maps):
    from torch import nn
    return nn.Sequential(nn.Conv2d(task.channels, maps, 3, padding=1), nn.Conv2d(maps, task.classes, 1))

def bad(task):
    from torch import nn
    print("building")
    return nn.Conv2d(task.channels, task.classes - 1, 1)

def loss(task):
    from torch import nn
    return nn.CrossEntropyLoss()
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    Path("two_nets.py").write_text(TWO)


def check(*words):
    return main(["plugins", "check", *words])


def test_a_sound_model_is_a_table_of_what_was_checked(capsys):
    assert check("good-net", "-p", "two_nets.py", "--kind", "model") == OK
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[3:-3]] == [one.id for one in checks_for("model")]
    assert "what to change" not in out
    assert "19 ok" in out


def test_a_broken_model_says_what_to_change_and_where(capsys):
    assert check("bad-net", "-p", "two_nets.py") == RUNS_FAILED
    told = " ".join(capsys.readouterr().out.split())
    assert "forward returned logits (1, 3, 64, 64) for input (1, 1, 64, 64), expected (1, 4, 64, 64)" in told
    assert "Remedy: Return logits (B, K, …) of the input's size" in told
    assert "1 failed (shapes)" in told


def test_json_has_one_object_a_check_and_nothing_else(capsys):
    """Not even what the plugin prints."""
    assert check("bad-net", "-p", "two_nets.py", "--json") == RUNS_FAILED
    rows = json.loads(capsys.readouterr().out)
    assert [row["check"] for row in rows] == [one.id for one in checks_for("model")]
    shapes = next(row for row in rows if row["check"] == "shapes")
    assert (shapes["plugin"], shapes["kind"], shapes["result"]) == ("bad-net", "model", "failed")
    assert shapes["guarantee"].startswith("The logits are floats")
    assert shapes["remedy"]
    assert {row["result"] for row in rows} == {"ok", "info", "failed", "skipped"}


def test_a_name_a_glob_and_a_variant_choose(capsys):
    assert check("*-net", "-p", "two_nets.py", "--json") == RUNS_FAILED
    rows = json.loads(capsys.readouterr().out)
    assert {(row["kind"], row["plugin"]) for row in rows} == {
        ("model", "bad-net"),
        ("model", "good-net"),
        ("loss", "good-net"),
    }
    assert check("good-net[maps=2]", "-p", "two_nets.py", "--kind", "model") == OK
    out = capsys.readouterr().out
    assert "model good-net[maps=2]" in out
    # 1*2*9+2 weights and biases of the first convolution, 2*4+4 of the second.
    assert "32 trainable" in out


def test_verbose_shows_the_plugins_own_traceback(capsys):
    Path("raising.py").write_text(
        TWO.replace("two_nets", "raising").replace("task.classes - 1, 1)", "'wide', 1)")
    )
    assert check("bad-net", "-p", "raising.py", "-v") == RUNS_FAILED
    out = capsys.readouterr().out
    assert "raising.py" in out
    assert "Traceback (most recent call last)" in out


def test_a_dataset_lies_where_data_or_harness_toml_says(tmp_path, capsys):
    shutil.copy(TINY, "harness_plugins.py")
    Path("harness.toml").write_text("")
    assert check("tiny") == OK
    assert "16 cases of 8 patients; RV, MYO, LV" in capsys.readouterr().out
    assert check("acdc") == RUNS_FAILED
    told = " ".join(capsys.readouterr().out.split())
    assert "no folder was given" in told
    assert "--data acdc=PATH" in told
    Path("empty").mkdir()
    assert check("acdc", "--data", "acdc=empty") == RUNS_FAILED
    assert "no folder was given" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["bad-ne"], "no plugin 'bad-ne'. Did you mean 'bad-net'?"),
        (["bad-net", "--kind", "loss"], "no loss 'bad-net'"),
        (["good-net[map=2]", "--kind", "model"], "no parameter 'map'. Did you mean 'maps'?"),
        (["bad-net", "--data", "acd=."], "no dataset 'acd'"),
    ],
)
def test_what_can_not_be_checked_is_one_line(words, said, capsys):
    assert check(*words, "-p", "two_nets.py") == USAGE
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_a_plugin_that_can_not_be_imported_says_why(capsys):
    Path("unfinished.py").write_text("from harness import Modell\n")
    assert check("unfinished.py", "-p", "unfinished.py") == USAGE
    assert "unfinished.py:1" in capsys.readouterr().err


def test_options_may_stand_before_and_behind_the_action(capsys):
    assert main(["plugins", "-p", "two_nets.py", "check", "bad-net", "--json"]) == RUNS_FAILED
    capsys.readouterr()
    assert main(["plugins", "--json", "-p", "two_nets.py", "check", "bad-net"]) == RUNS_FAILED
    assert json.loads(capsys.readouterr().out)
