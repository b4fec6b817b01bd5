"""The suite in an author's tests: a decorator like scikit-learn's ``parametrize_with_checks``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from harness.plugins.records import Plugin
from harness.testing.check import Check, CheckFailed
from harness.testing.registry import checks_for
from harness.testing.subject import NOTHING, Root, subjects_of
from harness.testing.suite import Suite

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class BoundCheck:
    """A check of one plugin, called in a test."""

    suite: Suite
    check: Check

    def __call__(self) -> None:
        """Pass, skip the test, or raise `CheckFailed`."""
        __tracebackhide__ = True
        outcome = self.suite.outcome(self.check)
        if outcome.state == "skipped":
            import pytest

            pytest.skip(outcome.found)
        if outcome.state == "failed":
            raise CheckFailed(outcome.found, outcome.remedy) from outcome.cause

    def __str__(self) -> str:
        return f"{self.suite.subject.record.name}-{self.check.id}"


def parametrize_with_checks(
    plugins: Plugin | ModuleType | Iterable[Plugin | ModuleType],
    *,
    params: Mapping[str, Mapping[str, Any]] = NOTHING,
    roots: Mapping[str, Root] = NOTHING,
) -> pytest.MarkDecorator:
    """Parametrise a test's argument ``check`` with all checks of records, or of all plugins of modules.

    `params` has parameters by plugin name, for plugins whose defaults are too large for a test. `roots` has
    the folders of datasets, or functions that write the dataset into an empty folder; the default is
    ``HARNESS_<NAME>_ROOT``, or an empty folder.

    >>> import my_model
    >>> @parametrize_with_checks(my_model)
    ... def test_contract(check):
    ...     check()
    """
    import pytest

    sources = [plugins] if isinstance(plugins, Plugin | ModuleType) else list(plugins)
    bound = [
        BoundCheck(suite, check)
        for source in sources
        for suite in map(Suite, subjects_of(source, params, roots))
        for check in checks_for(suite.subject.kind)
    ]
    return pytest.mark.parametrize("check", bound, ids=str)
