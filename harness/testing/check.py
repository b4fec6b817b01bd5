"""A check, the exceptions it may raise, and its outcome."""

from __future__ import annotations

import contextlib
import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from harness.errors import HarnessError
from harness.plugins.blame import GUARDED, describe

if TYPE_CHECKING:
    from harness.plugins.records import Kind
    from harness.testing.subject import Subject

State = Literal["ok", "info", "failed", "skipped"]

Function = Callable[["Subject"], str | None]
"""A check's function: returns a short summary of what was checked; raises `CheckFailed` or `CheckSkipped`."""


class CheckFailed(AssertionError):
    """A plugin violates its contract: `what` is wrong, and the `remedy`."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = " ".join(what.split()), remedy
        super().__init__(f"{self.what.rstrip('.')}. {remedy}")


class CheckSkipped(Exception):
    """A check does not apply to this plugin, for a `reason`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Check:
    """A check by its `id`; its function is imported when it is run.

    It is skipped unless all checks that it `needs` have passed. With `informs` it only gives information.
    """

    id: str
    kind: Kind
    module: str
    needs: tuple[str, ...] = ()
    informs: bool = False

    @property
    def function(self) -> Function:
        """The check's function, which has the name of its id."""
        function: Function = getattr(importlib.import_module(self.module), self.id.replace("-", "_"))
        return function

    @property
    def guarantee(self) -> str:
        """What the check guarantees, in a sentence; imports the function."""
        return (inspect.getdoc(self.function) or "").partition("\n\n")[0].replace("\n", " ")


@dataclass(frozen=True)
class Outcome:
    """The outcome of a check: what it `found`, and a `remedy` if it failed."""

    plugin: str
    kind: Kind
    check: str
    state: State
    found: str = ""
    remedy: str = ""
    error: BaseException | None = field(default=None, repr=False, compare=False)

    @property
    def cause(self) -> BaseException | None:
        """What the plugin itself raised."""
        return self.error.__cause__ if isinstance(self.error, CheckFailed) else self.error


@contextlib.contextmanager
def attempt(doing: str, remedy: str, otherwise: str = "") -> Iterator[None]:
    """Turn any exception raised inside into a failure of the check, with this remedy.

    With `otherwise`, `remedy` is for violations of the contract and `otherwise` for the plugin's own errors.
    """
    try:
        yield
    except (CheckFailed, CheckSkipped):
        raise
    except GUARDED as error:
        if otherwise and not isinstance(error, HarnessError):
            remedy = otherwise
        raise CheckFailed(f"{doing}: {describe(error)}", getattr(error, "remedy", None) or remedy) from error
