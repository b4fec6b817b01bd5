"""Errors for users, in one line: what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Literal

Blame = Literal["plugin", "data", "resource", "harness"]

OK, RUNS_FAILED, USAGE, INTERRUPTED, INTERNAL = 0, 1, 2, 3, 4
"""Exit codes of the command line (documented in docs/commands.md)."""

BUSY = 75
"""Exit code of a worker whose run another process holds (EX_TEMPFAIL of sysexits)."""


class HarnessError(Exception):
    """An error that a user can act on. It is printed as one line; the traceback goes to the log.

    `what` is wrong, `where` it is (a file, a key, a plugin), and the `remedy`.
    """

    exit_code = USAGE
    blame: Blame = "harness"

    def __init__(self, what: str, *, where: object = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        line = f"{where}: {what}" if where is not None else what
        if remedy:
            line = f"{line.rstrip('.')}. {remedy}"
        # A message from another library may have several lines.
        super().__init__(" ".join(line.split()))


class ConfigError(HarnessError):
    """A value in harness.toml, in --set or in a command's arguments is invalid."""


class PluginError(HarnessError):
    """A plugin is broken, unknown, or breaks its contract."""

    blame: Blame = "plugin"


class DataError(HarnessError):
    """A dataset's folder, file or content can't be used."""

    blame: Blame = "data"


class ResourceError(HarnessError):
    """Memory, disk space or time ran out."""

    blame: Blame = "resource"


def first_few(names: Sequence[str], most: int, separator: str = ", ") -> str:
    """The first `most` of `names`, and the number of the others."""
    more = len(names) - most
    return separator.join(names[:most]) + (f" and {more} more" if more > 0 else "")


def and_more(others: int) -> str:
    """`` (and 2 more)``, after one of several items; empty if there are no others."""
    return f" (and {others} more)" if others else ""


MANY, FEW = 12, 3
"""Of more than MANY known names, a remedy lists only the FEW nearest."""


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy for an unknown `name`: the nearest known name, or all, or the nearest few of many."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"Did you mean '{close[0]}'?"
    if len(names) > MANY:
        few = difflib.get_close_matches(name, names, n=FEW, cutoff=0.0)
        return f"{len(names)} are known; nearest: {', '.join(few)}."
    return f"Known: {', '.join(names)}." if names else "None is known."
