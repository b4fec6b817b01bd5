"""Find where a plugin's error comes from, and describe it in one line."""

from __future__ import annotations

import contextlib
import inspect
import operator
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.plugins.records import Kind

GUARDED = (Exception, SystemExit)
"""What a plugin may raise without ending a command; Ctrl-C is not included."""

OURS = {"harness", "importlib", "pluggy", "runpy", "contextlib"}
"""Packages whose frames are never a plugin's."""


def describe(error: BaseException) -> str:
    """The error as one line, such as ``ValueError: depth is negative``."""
    if isinstance(error, HarnessError):
        return f"{error.where}: {error.what}" if error.where is not None else error.what
    # The standard library handles an exception whose str() fails.
    return " ".join(traceback.format_exception_only(error)[-1].split())


def location(error: BaseException, module: str = "") -> str | None:
    """``FILE:LINE`` of the innermost line in `module`'s package, else in any other foreign code."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{shorten(error.filename)}:{error.lineno}"
    package = module.partition(".")[0]
    inside = foreign = None
    step = error.__traceback__
    while step is not None:
        code, name = step.tb_frame.f_code, str(step.tb_frame.f_globals.get("__name__", ""))
        top = name.partition(".")[0]
        if not code.co_filename.startswith("<"):
            place = f"{shorten(code.co_filename)}:{step.tb_lineno}"
            if package and top == package:
                inside = place
            if top not in OURS:
                foreign = place
        step = step.tb_next
    return inside or foreign


@contextlib.contextmanager
def calling(kind: Kind) -> Iterator[None]:
    """Mark an exception raised inside as coming from the run's plugin of `kind`; `called` reads the mark."""
    try:
        yield
    except Exception as error:
        error.__dict__.setdefault("harness_calling", kind)
        raise


def called(error: BaseException) -> Kind | None:
    """The kind of plugin that was being called when `error` was raised; None if there was none."""
    return getattr(error, "harness_calling", None)


def innermost(error: BaseException, target: str) -> str | None:
    """``FILE:LINE`` of the innermost line in the package of `target`, without the file's folder.

    The causes of `error` are searched too. None if no line of the package was running.
    """
    package = target.partition(":")[0].partition(".")[0]
    place = None
    link: BaseException | None = error
    while link is not None:
        for frame, line in traceback.walk_tb(link.__traceback__):
            if str(frame.f_globals.get("__name__", "")).partition(".")[0] == package:
                place = f"{Path(frame.f_code.co_filename).name}:{line}"
        link = link.__cause__
    return place


def defined(target: str) -> str | None:
    """``FILE:LINE`` where an imported target is defined, without the file's folder."""
    module, _, path = target.partition(":")
    try:
        implementation = inspect.unwrap(operator.attrgetter(path)(sys.modules[module]))
        line = inspect.getsourcelines(implementation)[1]
        return f"{Path(inspect.getfile(implementation)).name}:{line}"
    except (KeyError, AttributeError, TypeError, OSError, ValueError):
        return None


def shorten(file: str | Path) -> str:
    """`file` relative to the current folder, if it is inside it."""
    path = Path(file)
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def explain(error: BaseException, module: str = "") -> str:
    """`describe`, with the location in brackets if it is known."""
    place = location(error, module)
    return f"{describe(error)} ({place})" if place else describe(error)


def remedy_for(error: BaseException, module: str, otherwise: str) -> str:
    """What to do about `error`, raised while `module` was imported or one of its hooks was called."""
    if isinstance(error, HarnessError) and error.remedy:
        return error.remedy
    if isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        if missing != module.partition(".")[0]:
            return f"Install the package that provides '{missing}'."
    return otherwise


def full_traceback(error: BaseException) -> str:
    """The traceback, for the log and for ``-v``."""
    return "".join(traceback.format_exception(error))
