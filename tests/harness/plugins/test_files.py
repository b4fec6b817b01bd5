"""Plugins in a single file: ``-p FILE.py`` and ``harness_plugins.py``."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import PluginError
from harness.plugins.manager import load
from harness.plugins.resolve import resolve


def test_a_file_registers_its_plugins_and_its_targets_resolve(write, models) -> None:
    file = write("made_up_file.py", models("made-up-net") + "class Net:\n    pass\n")
    found = load([file]).models["made-up-net"]
    assert (found.distribution, found.version, found.origin) == ("made_up_file.py", "", str(file))
    assert resolve("made_up_file:Net").__module__ == "made_up_file"


def test_nothing_is_left_beside_the_file(write, models, tmp_path: Path) -> None:
    load([write("made_up_file.py", models("made-up-net"))])
    assert [path.name for path in tmp_path.iterdir()] == ["made_up_file.py"]


def test_a_relative_path_and_a_repetition_are_one_file(write, models, tmp_path, monkeypatch) -> None:
    """`-p harness_plugins.py` beside the one that is found anyway is no duplicate."""
    file = write("made_up_file.py", models("made-up-net"))
    monkeypatch.chdir(tmp_path)
    registry = load([file, Path("made_up_file.py")])
    assert "made-up-net" in registry.models


@pytest.mark.parametrize("name", ["json.py", "torch.py", "harness.py", "sys.py"])
def test_a_file_that_would_hide_a_module_is_refused(write: Callable[..., Path], models, name: str) -> None:
    with pytest.raises(PluginError, match=f"hides the module '{name[:-3]}'.*Rename it.*my_{name}"):
        load([write(name, models("made-up-net"))])


@pytest.mark.parametrize("name", ["my-model.py", "model.txt", "__init__.py", "2d.py"])
def test_a_file_that_no_target_could_name_is_refused(write, models, name: str) -> None:
    with pytest.raises(PluginError, match=r"not a valid module name.*such as my_model.py"):
        load([write(name, models("made-up-net"))])


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=r"missing.py: no such file"):
        load([tmp_path / "missing.py"])
    with pytest.raises(PluginError, match=r"is a folder.*pip"):
        load([tmp_path])


def test_two_files_of_one_name_are_refused(write, models) -> None:
    files = [write("a/made_up_file.py", models("net-a")), write("b/made_up_file.py", models("net-b"))]
    with pytest.raises(
        PluginError,
        match=r"b/made_up_file.py: has the same module name 'made_up_file' as .*a/made_up_file.py",
    ):
        load(files)


def test_a_file_with_an_error_is_a_card_that_get_mentions(write, models) -> None:
    bad = write("made_up_bad.py", "def f(:\n")
    good = write("made_up_good.py", models("good-net"))
    registry = load([bad, good])
    (card,) = [card for card in registry.broken if card.distribution == "made_up_bad.py"]
    assert card.error == f"SyntaxError: invalid syntax ({bad}:2)"
    assert card.remedy == f"Correct {bad}."
    assert "made_up_bad" not in sys.modules
    assert "good-net" in registry.models
    with pytest.raises(PluginError, match=r"no model 'bad-net': made_up_bad.py is broken: SyntaxError"):
        registry.get("model", "bad-net")


def test_a_file_that_needs_its_neighbour_is_told_so(write) -> None:
    write("made_up_helpers.py", "")
    file = write("made_up_file.py", "import made_up_helpers\n")
    (card,) = [card for card in load([file]).broken if card.distribution == "made_up_file.py"]
    assert "is alone: move 'made_up_helpers' into it" in card.remedy


def test_a_file_without_a_hook_is_told_so(write) -> None:
    (card,) = [c for c in load([write("made_up_file.py", "x = 1")]).broken if c.name == "made_up_file.py"]
    assert card.error == "it has no hooks"


def test_a_name_that_is_installed_too_is_a_duplicate(install, write, models) -> None:
    install("made-up", {"x": "made_up"}, {"made_up": models("made-up-net")})
    registry = load([write("made_up_file.py", models("made-up-net"))])
    with pytest.raises(
        PluginError, match=r"made-up 1.0 and by made_up_file.py. Rename it in made_up_file.py"
    ):
        registry.get("model", "made-up-net")


def test_an_edited_file_is_read_again_and_an_unchanged_one_is_not(write, models) -> None:
    """A notebook that loads plugins again sees the edit; classes stay the same without one."""
    file = write("made_up_file.py", models("net-a") + "class Net: ...\n")
    load([file])
    before = resolve("made_up_file:Net")
    load([file])
    assert resolve("made_up_file:Net") is before
    write("made_up_file.py", models("net-b"))
    assert "net-b" in load([file]).models


def test_another_file_of_the_same_name_takes_its_place(write, models) -> None:
    load([write("a/made_up_file.py", models("net-a"))])
    registry = load([write("b/made_up_file.py", models("net-b"))])
    assert "net-b" in registry.models
    assert "net-a" not in registry.models
