"""A module's hooks: found, checked against the specification, called under guard."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from harness.errors import PluginError, nearest
from harness.plugins import spec
from harness.plugins.blame import GUARDED, shorten
from harness.plugins.records import Dataset, Executor, Loss, Model, Plugin

Hook = Callable[..., Any]

_NAMED = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.KEYWORD_ONLY,
)

SPECS: dict[str, Hook] = {name: value for name, value in vars(spec).items() if name.startswith("harness_")}
"""The specified hooks by name."""

RETURNS: dict[str, type[Plugin]] = {
    "harness_models": Model,
    "harness_losses": Loss,
    "harness_datasets": Dataset,
    "harness_executors": Executor,
}
"""The hooks that return records, and of which type."""


def find_hooks(module: ModuleType) -> tuple[dict[str, Hook], list[PluginError]]:
    """The hooks that `module` implements, and what looks like a hook but is none."""
    hooks: dict[str, Hook] = {}
    problems: list[PluginError] = []
    for name, value in vars(module).items():
        marks = getattr(value, f"{spec.GROUP}_impl", None) if inspect.isroutine(value) else None
        if not isinstance(marks, dict):
            marks = None
        if marks is None and not _looks_like_hook(name, value, module):
            continue
        hook = (marks or {}).get("specname") or name
        problem = _problem(hook, value, marks)
        if problem is None:
            hooks[hook] = value
        else:
            problems.append(problem)
    return hooks, problems


def call(hook: str, function: Hook) -> tuple[list[Plugin], list[BaseException]]:
    """The records that a hook gives, and what went wrong. Records before an error count."""
    expected = RETURNS[hook].__name__
    records: list[Plugin] = []
    problems: list[BaseException] = []
    try:
        given = function()
        if not isinstance(given, Iterable) or isinstance(given, str | bytes):
            raise PluginError(
                f"{hook} gave {_kind_of(given)} instead of {expected} records{_place(function)}",
                remedy=f"Yield {expected} records, or return a list of them.",
            )
        for record in given:
            if type(record) is RETURNS[hook]:
                records.append(record)
            else:
                problems.append(_misfit(hook, record, function))
    except GUARDED as error:
        problems.append(error)
    return records, problems


def _misfit(hook: str, record: object, function: Hook) -> PluginError:
    home = next((name for name, kind in RETURNS.items() if type(record) is kind), None)
    expected = RETURNS[hook].__name__
    remedy = f"Give it from {home}." if home else f"Yield {expected} records only."
    return PluginError(
        f"{hook} gave {_kind_of(record)} among its {expected} records{_place(function)}", remedy=remedy
    )


def _kind_of(value: object) -> str:
    if value is None:
        return "None"
    name = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"the class {name}" if isinstance(value, type) else f"a {name}"


def _looks_like_hook(name: str, value: object, module: ModuleType) -> bool:
    """Whether an unmarked `value` carries a name that is kept for hooks.

    Imported helpers and submodules of such a name are somebody else's, unless the name is a hook's.
    """
    if not name.startswith("harness_") or not callable(value) or isinstance(value, type):
        return False
    return name in SPECS or getattr(value, "__module__", None) == module.__name__


def _problem(hook: str, value: Any, marks: dict[str, Any] | None) -> PluginError | None:
    place = _place(value)
    if marks is None and hook in SPECS:
        return PluginError(f"{hook} is not marked as a hook{place}", remedy="Put @hookimpl above it.")
    if hook not in SPECS:
        remedy = nearest(hook, SPECS)
        if marks is None:
            remedy += " Names that start with 'harness_' are kept for hooks."
        return PluginError(f"there is no hook '{hook}'{place}", remedy=remedy)
    if not inspect.isfunction(value):
        return PluginError(f"{hook} is not a plain function{place}", remedy="Write it with def.")
    assert marks is not None
    if marks.get("wrapper") or marks.get("hookwrapper"):
        return PluginError(f"{hook} wraps other hooks{place}", remedy="Mark it with a plain @hookimpl.")
    gets = list(inspect.signature(SPECS[hook]).parameters)
    asks = [
        p for p in inspect.signature(value).parameters.values() if p.default is p.empty and p.kind in _NAMED
    ]
    if any(p.name not in gets or p.kind is p.KEYWORD_ONLY for p in asks):
        remedy = f"It gets ({', '.join(gets)}), or fewer of them." if gets else "It gets none."
        return PluginError(f"{hook} asks for arguments that it does not get{place}", remedy=remedy)
    given = [p.name for p in inspect.signature(value).parameters.values() if p.name in gets and p not in asks]
    if given:
        # pluggy hands over nothing that has a default.
        return PluginError(
            f"{hook} has a default for '{given[0]}', so it would never get it{place}",
            remedy="Leave the default out.",
        )
    return None


def _place(value: Any) -> str:
    code = getattr(inspect.unwrap(value), "__code__", None)
    return f" ({shorten(code.co_filename)}:{code.co_firstlineno})" if code is not None else ""
