"""The hooks' documentation: what an author copies must work."""

import doctest
import inspect

import pytest

from harness.plugins import spec
from harness.plugins.hooks import SPECS


def test_every_example_runs() -> None:
    result = doctest.testmod(spec, optionflags=doctest.ELLIPSIS)
    assert result.failed == 0
    assert result.attempted >= 2 * len(SPECS)


@pytest.mark.parametrize("name", SPECS)
def test_a_hook_says_when_it_is_called_and_what_an_error_does(name: str) -> None:
    text = inspect.getdoc(SPECS[name]) or ""
    assert "Called" in text
    assert "Return" in text
    assert "error" in text
    assert ">>>" in text


def test_the_hooks_are_those_of_the_architecture() -> None:
    assert set(SPECS) == {
        "harness_models",
        "harness_losses",
        "harness_datasets",
        "harness_executors",
        "harness_compatible",
        "harness_run_started",
        "harness_epoch_ended",
        "harness_run_finished",
    }
