"""What is wrong with the module that registers a plugin, though the plugin may be fine."""

from __future__ import annotations

import importlib
import sys

import pytest

from harness.errors import PluginError
from harness.testing import checks_for, parametrize_with_checks, run_checks, subjects_of

GOOD = """
from harness import Model, hookimpl
@hookimpl
def harness_models():
    yield Model("mine", "broken_models:sound", 2, "a model")
"""

MISTAKES = {
    "misspelt_hook": (
        "registration",
        GOOD + "@hookimpl\ndef harness_loses():\n    return []\n",
        "Did you mean",
    ),
    "not_marked": ("registration", GOOD + "def harness_losses():\n    return []\n", "@hookimpl"),
    "false_record": ("registration", GOOD + "    yield 'another'\n", "only Model records"),
    "raises_late": ("registration", GOOD + "    raise ValueError('no second model')\n", "Correct"),
    "wrong_default": (
        "registration",
        GOOD + "    yield Model('other', 'a:b', 2, 'a model', defaults={'act': print})\n",
        "Use numbers",
    ),
    "torch_at_top": ("light", "import torch\n" + GOOD, "Import it inside"),
    "torch_in_hook": ("light", GOOD + "    import torch\n", "Import it inside"),
    "needs_its_neighbour": (
        "light",
        "import sys\nassert 'pytest' in sys.modules\n" + GOOD,
        "importable on its own",
    ),
}


@pytest.fixture
def module_of(tmp_path, monkeypatch):
    """Import source text as a module that lies in a file."""
    monkeypatch.syspath_prepend(tmp_path)
    names = []

    def make(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        names.append(name)
        return importlib.import_module(name)

    yield make
    for name in names:
        sys.modules.pop(name, None)


def first_two(module, **options):
    (subject,) = subjects_of(module, {}, {})
    return run_checks(subject, checks_for("model")[:2])


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_beside_a_sound_model_is_found(name, module_of):
    check, text, remedy = MISTAKES[name]
    outcomes = {one.check: one for one in first_two(module_of(name, text))}
    assert {one.check for one in outcomes.values() if one.state == "failed"} == {check}
    assert remedy in outcomes[check].remedy


def test_torch_is_traced_to_the_line_that_imports_it(module_of):
    """A plugin rarely imports torch itself: a library of its does."""
    text = "import json\n\n\nimport torch\n" + GOOD
    light = first_two(module_of("torch_on_line_four", text))[1]
    assert "torch_on_line_four.py:4 imports torch" in light.found


def test_a_sound_module_passes_both(module_of):
    assert [one.state for one in first_two(module_of("sound_module", GOOD))] == ["ok", "ok"]


def test_a_module_that_registers_nothing_is_said_at_once(module_of):
    with pytest.raises(PluginError, match="no_plugins_here: registers no plugin"):
        parametrize_with_checks(module_of("no_plugins_here", "x = 1\n"))
    misspelt = module_of("misspelt_alone", GOOD.replace("harness_models", "harness_model"))
    with pytest.raises(PluginError, match="no hook 'harness_model'"):
        parametrize_with_checks(misspelt)
