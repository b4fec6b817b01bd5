"""What commands ask the registry: a plugin by name, whether three fit, tell the observers."""

import logging

import pytest

from harness import Dataset, Loss, Model
from harness.errors import PluginError
from harness.plugins.manager import Registered, Registry, load

MODEL = Model("net", "a:b", 2, "a net")
LOSS = Loss("loss", "a:b", "a loss")
DATASET = Dataset("data", "a:b", "a dataset")


def registry_of(*names: str) -> Registry:
    models = {
        name: Registered(Model(name, "a:b", 2, "a net"), "model", "made-up", "1", "a") for name in names
    }
    return Registry(models)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(PluginError, match=r"^no model 'unet2'. Did you mean 'unet2d'\?$"):
        registry_of("unet2d", "wide").get("model", "unet2")


def test_a_name_like_none_is_answered_with_all() -> None:
    with pytest.raises(PluginError, match=r"^no model 'zzz'. Known: unet2d, wide.$"):
        registry_of("unet2d", "wide").get("model", "zzz")


def test_globs_select_by_name() -> None:
    registry = registry_of("unet2d", "unet3d", "wide")
    assert [found.record.name for found in registry.match("model", "unet*")] == ["unet2d", "unet3d"]
    assert registry.match("model", "x*") == ()
    assert registry.match("loss", "*") == ()


def test_the_first_reason_against_a_combination_counts(write) -> None:
    file = write(
        "made_up_file.py",
        "@hookimpl\ndef harness_compatible(loss, model):\n"
        "    return f'{loss.name} not with {model.name}' if model.dims == 2 else None\n",
    )
    registry = load([file])
    assert registry.compatible(MODEL, LOSS, DATASET) == "loss not with net"
    assert registry.compatible(Model("net", "a:b", 3, "a net"), LOSS, DATASET) is None
    assert registry.hook.harness_compatible(model=MODEL, loss=LOSS, dataset=DATASET) == "loss not with net"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("1 / 0", "of made_up_file.py failed: ZeroDivisionError: division by zero"),
        ("return True", "of made_up_file.py returned True, expected a reason or None"),
        ("return ''", "of made_up_file.py returned '', expected a reason or None"),
        ("raise SystemExit", "of made_up_file.py failed: SystemExit"),
    ],
)
def test_a_broken_answer_is_a_reason_that_names_the_plugin(write, body: str, reason: str) -> None:
    registry = load([write("made_up_file.py", f"@hookimpl\ndef harness_compatible(): {body}\n")])
    assert reason in (registry.compatible(MODEL, LOSS, DATASET) or "")


def test_observers_are_told_and_one_that_fails_is_a_warning(write, caplog) -> None:
    bad = write("made_up_bad.py", "@hookimpl\ndef harness_epoch_ended(epoch): epoch['lost']\n")
    good = write(
        "made_up_good.py",
        "seen = []\n@hookimpl\ndef harness_epoch_ended(run, epoch): seen.append((run['run_id'], epoch))\n",
    )
    registry = load([good, bad])
    with caplog.at_level(logging.WARNING, "harness.plugins"):
        registry.notify("harness_epoch_ended", run={"run_id": "r"}, epoch={"loss": 0.5})
    import made_up_good  # type: ignore[import-not-found]

    assert made_up_good.seen == [("r", {"loss": 0.5})]
    (warning,) = caplog.messages
    assert warning.startswith("harness_epoch_ended of made_up_bad.py failed: KeyError: 'lost' (")
    assert warning.endswith("made_up_bad.py:3)")


def test_an_observer_can_not_change_the_run(write) -> None:
    registry = load(
        [write("made_up_file.py", "@hookimpl\ndef harness_run_started(run): run['model']['name'] = 'mine'\n")]
    )
    run = {"model": {"name": "net"}}
    registry.notify("harness_run_started", run=run)
    assert run == {"model": {"name": "net"}}


def test_ctrl_c_goes_through_an_observer(write) -> None:
    text = "@hookimpl\ndef harness_run_finished(record): raise KeyboardInterrupt\n"
    registry = load([write("made_up_file.py", text)])
    with pytest.raises(KeyboardInterrupt):
        registry.notify("harness_run_finished", run={}, record={})
