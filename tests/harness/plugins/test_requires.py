"""Plugins that lack an optional package are listed with what to install, and disturb nobody."""

import sys
from pathlib import Path

import pytest

from harness.cli.main import main
from harness.errors import PluginError
from harness.plugins.manager import load

LACKING = """
NEEDS = {"json": "never-missing", "not_there_at_all": "not-there[all]>=2"}
@hookimpl
def harness_models():
    yield Model("made-up-net", "lacking_nets:Net", 2, "a net", requires=NEEDS)
    yield Model("made-up-plain", "lacking_nets:Net", 2, "a net", requires={"json": "never-missing"})
@hookimpl
def harness_losses():
    yield Loss("made-up-loss", "lacking_nets:Loss", "a loss", requires=NEEDS)
@hookimpl
def harness_datasets():
    yield Dataset("made-up-data", "lacking_nets:Data", "hearts", requires={"not_there_too": "other"})
"""


def test_one_card_for_all_plugins_that_lack_the_same_package(install) -> None:
    install("lacking", {"x": "lacking"}, {"lacking": LACKING})
    registry = load()
    assert "made-up-plain" in registry.models
    assert "made-up-net" not in registry.models
    other, same = (card for card in registry.broken if card.distribution == "lacking")
    assert {each.record.name for each in same.unavailable} == {"made-up-net", "made-up-loss"}
    assert (same.state, same.error) == ("not available", "not_there_at_all is not installed")
    assert same.remedy == "pip install 'not-there[all]>=2'"
    assert (other.error, other.remedy) == ("not_there_too is not installed", "pip install other")


def test_asking_for_one_says_what_to_install(install) -> None:
    install("lacking", {"x": "lacking"}, {"lacking": LACKING})
    registry = load()
    with pytest.raises(
        PluginError, match=r"^loss 'made-up-loss' is not available: .* pip install 'not-there"
    ):
        registry.get("loss", "made-up-loss")
    # They are no suspects where a name is unknown.
    with pytest.raises(PluginError) as caught:
        registry.get("model", "made-up-nets")
    assert "lacking" not in str(caught.value)


def test_packages_are_looked_for_and_not_imported(install) -> None:
    """Listing stays fast however slow an optional package is to import."""
    text = LACKING.replace('"json"', '"slow_package"')
    install("lacking", {"x": "lacking"}, {"lacking": text, "slow_package": "raise SystemExit\n"})
    assert "made-up-plain" in load().models
    assert "slow_package" not in sys.modules


def test_the_listing_shows_them_with_the_remedy(
    write, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    file = write("made_up_lacking.py", LACKING)
    assert main(["plugins", "-p", str(file)]) == 0
    out = capsys.readouterr().out
    row = next(line for line in out.splitlines() if line.startswith("made-up-net"))
    assert row.split()[-2:] == ["not", "available"]
    assert "Remedy: pip install 'not-there[all]>=2'" in out
    assert out.count("not_there_at_all is not installed") == 1
    assert next(line for line in out.splitlines() if line.startswith("made-up-plain")).split()[-1] == "ok"
