"""Discovery of installed plugins: one that is broken never takes another one down."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import PluginError
from harness.plugins.manager import Broken, Registry, load


def cards(registry: Registry, distribution: str) -> list[Broken]:
    return [card for card in registry.broken if distribution in card.distribution]


def test_an_installed_plugin_is_listed_with_its_distribution(install: Callable[..., Path], models) -> None:
    install(
        "made-up", {"net": "made_up_net"}, {"made_up_net": models("made-up-a", "made-up-b")}, version="2.3"
    )
    registry = load()
    found = registry.models["made-up-b"]
    assert (found.kind, found.distribution, found.version) == ("model", "made-up", "2.3")
    assert (found.origin, found.label) == ("made_up_net", "made-up 2.3")
    assert cards(registry, "made-up") == []


def test_all_kinds_of_records_are_registered(install) -> None:
    text = """
@hookimpl
def harness_losses():
    return [Loss("made-up-loss", "a:b", "a loss")]
@hookimpl
def harness_datasets():
    return (Dataset(n, "a:b", "a dataset") for n in ("made-up-data",))
"""
    install("made-up", {"x": "made_up"}, {"made_up": text})
    registry = load()
    assert registry.losses["made-up-loss"].kind == "loss"
    assert registry.datasets["made-up-data"].kind == "dataset"


@pytest.mark.parametrize(
    ("text", "error", "remedy"),
    [
        ("import not_there_at_all", "No module named 'not_there_at_all'", "provides 'not_there_at_all'"),
        ("raise ValueError('at\\nimport')", "ValueError: at import", "pip uninstall bad-one"),
        ("import sys; sys.exit(3)", "SystemExit: 3", "pip uninstall bad-one"),
        ("def f(:", "SyntaxError", "pip uninstall bad-one"),
        ("", "it has no hooks", "@hookimpl"),
        ("@hookimpl\ndef harness_models():\n    raise KeyError('depth')", "KeyError: 'depth'", "bad-one"),
        ("@hookimpl\ndef harness_models(): pass", "harness_models returned None", "Yield Model records"),
        ("@hookimpl\ndef harness_models(): return 'unet'", "returned a str, expected", "Yield Model records"),
        (
            "@hookimpl\ndef harness_models(): return [{'name': 'unet'}]",
            "returned a dict among",
            "Yield only Model",
        ),
        ("@hookimpl\ndef harness_models(): return [Model]", "returned the class Model among", "Yield only"),
        (
            "@hookimpl\ndef harness_models(): return Model('one-alone', 'a:b', 2, 'a net')",
            "returned a Model, expected Model records",
            "return a list",
        ),
        (
            "@hookimpl\ndef harness_models(): yield Loss('made-up-loss', 'a:b', 'a loss')",
            "returned a Loss among its Model records",
            "Return it from harness_losses.",
        ),
        (
            "@hookimpl\ndef harness_models(): yield Model('made-up', dict, 2, 'a net')",
            "is not a string of the form 'package.module:attribute'",
            "Give the name of the implementation, not the object.",
        ),
        ("@hookimpl\ndef harness_model(): ...", "no hook 'harness_model'", "Did you mean 'harness_models'?"),
        ("@hookimpl\ndef modells(): ...", "no hook 'modells'", "Known: harness_compatible"),
        ("def harness_models(): ...", "harness_models is not marked", "Put @hookimpl above it."),
        ("def harness_losse(): ...", "no hook 'harness_losse'", "Did you mean 'harness_losses'?"),
        ("harness_models = lambda: []", "harness_models is not marked", "Put @hookimpl above it."),
        (
            "@hookimpl\ndef harness_models(config): ...",
            "has parameters that it is not called with",
            "It has no arguments.",
        ),
        (
            "@hookimpl\ndef harness_compatible(model, net): ...",
            "has parameters that it is not called with",
            "(model, loss, dataset)",
        ),
        (
            "@hookimpl(wrapper=True)\ndef harness_run_started(run): yield",
            "wraps",
            "Mark it with @hookimpl, without options",
        ),
        (
            "import functools\n@functools.cache\n@hookimpl\ndef harness_models(): ...",
            "harness_models is not a plain function",
            "Write it with def.",
        ),
    ],
)
def test_a_broken_plugin_is_a_card_and_the_others_work(install, models, text, error, remedy) -> None:
    install("bad-one", {"bad": "bad_one"}, {"bad_one": text}, version="0.9")
    install("good-one", {"good": "good_one"}, {"good_one": models("good-net")}, folder="other")
    registry = load()
    (card,) = cards(registry, "bad-one")
    assert (card.name, card.version, card.label) == ("bad", "0.9", "bad (bad-one 0.9)")
    assert error in card.error
    assert remedy in card.remedy
    assert "\n" not in card.error + card.remedy
    assert "good-net" in registry.models
    assert cards(registry, "good-one") == []


def test_a_card_points_at_the_line_of_the_plugin(install) -> None:
    site = install("bad-one", {"bad": "bad_one"}, {"bad_one": "\nimport json\njson.loads('{')"})
    (card,) = cards(load(), "bad-one")
    assert card.error.endswith(f"({site}/bad_one.py:4)")
    assert "json.loads('{')" in card.traceback


def test_good_hooks_and_records_of_a_partly_broken_module_work(install) -> None:
    text = """
@hookimpl
def harness_models():
    yield Model("made-up-first", "a:b", 2, "a net")
    yield "not a record"
    yield Model("made-up-second", "a:b", 2, "a net")
    yield Model("Bad Name", "a:b", 2, "a net")
@hookimpl
def harness_modles(): ...
"""
    install("half-good", {"x": "half_good"}, {"half_good": text})
    registry = load()
    assert {"made-up-first", "made-up-second"} <= set(registry.models)
    errors = [card.error for card in cards(registry, "half-good")]
    assert len(errors) == 3
    assert "harness_modles" in errors[0]
    assert "returned a str" in errors[1]
    assert "invalid plugin name" in errors[2]


def test_a_hundred_wrong_items_are_one_card(install) -> None:
    install("bad-one", {"x": "bad_one"}, {"bad_one": "@hookimpl\ndef harness_models(): return ['a'] * 100"})
    assert len(cards(load(), "bad-one")) == 1


def test_duplicates_name_both_distributions_and_neither_is_used(install, models) -> None:
    install("first-dist", {"x": "first_module"}, {"first_module": models("twice", "only-first")})
    install("second-dist", {"x": "second_module"}, {"second_module": models("twice")}, version="2.0")
    registry = load()
    assert "twice" not in registry.models
    assert registry.match("model", "twice") == ()
    assert "only-first" in registry.models
    (card,) = cards(registry, "first-dist")
    assert card.error == "model 'twice' is registered by first-dist 1.0 and by second-dist 2.0"
    assert card.remedy == "Uninstall one of them: pip uninstall first-dist, or pip uninstall second-dist."
    assert [each.origin for each in card.duplicates] == ["first_module", "second_module"]
    with pytest.raises(PluginError, match=r"first-dist 1.0 and by second-dist 2.0.*pip uninstall") as caught:
        registry.get("model", "twice")
    assert caught.value.blame == "plugin"


def test_one_distribution_may_not_register_a_name_twice(install, models) -> None:
    install("made-up", {"x": "made_up"}, {"made_up": models("twice", "twice")})
    (card,) = cards(load(), "made-up")
    assert card.error == "model 'twice' is registered 2 times by made-up 1.0"


def test_a_model_and_a_loss_may_share_a_name(install, models) -> None:
    text = models("shared-name") + "@hookimpl\ndef harness_losses(): yield Loss('shared-name', 'a:b', 'x')"
    install("made-up", {"x": "made_up"}, {"made_up": text})
    registry = load()
    assert registry.models["shared-name"].kind == "model"
    assert registry.losses["shared-name"].kind == "loss"


def test_a_distribution_seen_twice_on_the_path_is_no_duplicate(install, models) -> None:
    """An editable install shows its metadata in site-packages and in the source folder."""
    install("made-up", {"x": "made_up"}, {"made_up": models("made-up-net")})
    install("Made_Up", {"x": "made_up"}, folder="source")
    registry = load()
    assert "made-up-net" in registry.models
    assert [c for c in registry.broken if c.distribution in ("made-up", "Made_Up")] == []


def test_two_entry_points_to_one_module_are_no_duplicate(install, models) -> None:
    install("made-up", {"x": "made_up", "y": "made_up"}, {"made_up": models("made-up-net")})
    registry = load()
    assert "made-up-net" in registry.models
    assert cards(registry, "made-up") == []


@pytest.mark.parametrize(
    ("entries", "error"),
    [
        ("this line says nothing", "Error"),
        ("x = made_up:plugin", "names an attribute"),
        ("x = made_up_missing", "No module named 'made_up_missing'"),
        ("x = two words.here", "No module named"),
    ],
)
def test_unreadable_metadata_is_a_card(install, models, entries: str, error: str) -> None:
    install("made-up", entries, {"made_up": models("made-up-net")})
    install("good-one", {"good": "good_one"}, {"good_one": models("good-net")}, folder="other")
    registry = load()
    (card,) = cards(registry, "made-up")
    assert error in card.error
    assert "good-net" in registry.models


def test_a_distribution_without_a_name_is_listed_all_the_same(install, models) -> None:
    site = install("made-up", {"x": "made_up"}, {"made_up": models("made-up-net")})
    (site / "made_up-1.0.dist-info" / "METADATA").unlink()
    assert load().models["made-up-net"].distribution == "a distribution without a name"


def test_an_unreadable_entry_points_file_hurts_nobody(install, models) -> None:
    site = install("made-up", {"x": "made_up"}, {"made_up": models("made-up-net")})
    (site / "made_up-1.0.dist-info" / "entry_points.txt").write_bytes(b"[harness]\nx = \xff\xfe")
    install("good-one", {"good": "good_one"}, {"good_one": models("good-net")}, folder="other")
    assert "good-net" in load().models


def test_what_a_plugin_prints_stays_out_of_the_output(install, models, capsys) -> None:
    """`harness plugins --json | jq` must not break over a plugin that says hello."""
    install("made-up", {"x": "made_up"}, {"made_up": "print('hello')\n" + models("made-up-net")})
    load()
    assert capsys.readouterr() == ("", "hello\n")


def test_ctrl_c_while_a_plugin_is_imported_stops_the_command(install) -> None:
    install("made-up", {"x": "made_up"}, {"made_up": "raise KeyboardInterrupt"})
    with pytest.raises(KeyboardInterrupt):
        load()


def test_imported_helpers_of_other_packages_are_no_misspelt_hooks(install, models) -> None:
    site = install(
        "made-up", {"x": "made_up"}, {"made_up": "from other import harness_scale\n" + models("net-x")}
    )
    (site / "other.py").write_text("def harness_scale(x): return x\n")
    registry = load()
    assert cards(registry, "made-up") == []
    sys.modules.pop("other", None)


def test_a_hook_may_live_in_a_submodule_or_bear_another_name(install) -> None:
    text = """
@hookimpl(specname="harness_models")
def our_models():
    yield Model("made-up-net", "a:b", 3, "a net")
"""
    install(
        "made-up",
        {"x": "made_up"},
        {"made_up": "from made_up_hooks import our_models", "made_up_hooks": text},
    )
    registry = load()
    assert "made-up-net" in registry.models
    assert cards(registry, "made-up") == []
