"""A check, what it may raise, and how it ended."""

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
"""A check's function: gives what it looked at, in a few words; raises `CheckFailed` or `CheckSkipped`."""


class CheckFailed(AssertionError):
    """A plugin breaks its contract: `what` is wrong, and the `remedy`."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = " ".join(what.split()), remedy
        super().__init__(f"{self.what.rstrip('.')}. {remedy}")


class CheckSkipped(Exception):
    """A check says nothing about this plugin, for a `reason`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Check:
    """A check by its `id`; its function is imported when it is run.

    It makes sense only where those that it `needs` went well. With `informs` it judges nothing.
    """

    id: str
    kind: Kind
    module: str
    needs: tuple[str, ...] = ()
    informs: bool = False

    @property
    def function(self) -> Function:
        """The function, named as the id."""
        found: Function = getattr(importlib.import_module(self.module), self.id.replace("-", "_"))
        return found

    @property
    def guarantee(self) -> str:
        """What it guarantees, in a sentence; imports the function."""
        return (inspect.getdoc(self.function) or "").partition("\n\n")[0].replace("\n", " ")


@dataclass(frozen=True)
class Outcome:
    """How a check of a plugin ended: what was `found`, and a `remedy` where it failed."""

    plugin: str
    kind: Kind
    check: str
    state: State
    found: str = ""
    remedy: str = ""
    error: BaseException | None = field(default=None, repr=False, compare=False)

    @property
    def cause(self) -> BaseException | None:
        """What the plugin raised, without what the check made of it."""
        return self.error.__cause__ if isinstance(self.error, CheckFailed) else self.error


@contextlib.contextmanager
def attempt(doing: str, remedy: str, otherwise: str = "") -> Iterator[None]:
    """Whatever is raised inside is a failure of the check, with this remedy.

    With `otherwise`, the `remedy` is for what breaks the contract, and this for the plugin's own errors.
    """
    try:
        yield
    except (CheckFailed, CheckSkipped):
        raise
    except GUARDED as error:
        if otherwise and not isinstance(error, HarnessError):
            remedy = otherwise
        raise CheckFailed(f"{doing}: {describe(error)}", getattr(error, "remedy", None) or remedy) from error
