"""Find a module's hooks, check them against the specification, and call them guarded."""

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
"""The specification of each hook by name."""

RETURNS: dict[str, type[Plugin]] = {
    "harness_models": Model,
    "harness_losses": Loss,
    "harness_datasets": Dataset,
    "harness_executors": Executor,
}
"""The hooks that return records, and the type of their records."""


def find_hooks(module: ModuleType) -> tuple[dict[str, Hook], list[PluginError]]:
    """The hooks that `module` implements, and the errors of what only looks like a hook."""
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
    """The records that a hook returns, and its errors. Records before an error are kept."""
    expected = RETURNS[hook].__name__
    records: list[Plugin] = []
    problems: list[BaseException] = []
    try:
        returned = function()
        if not isinstance(returned, Iterable) or isinstance(returned, str | bytes):
            raise PluginError(
                f"{hook} returned {_kind_of(returned)}, expected {expected} records{_place(function)}",
                remedy=f"Yield {expected} records, or return a list of them.",
            )
        for record in returned:
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
    remedy = f"Return it from {home}." if home else f"Yield only {expected} records."
    return PluginError(
        f"{hook} returned {_kind_of(record)} among its {expected} records{_place(function)}", remedy=remedy
    )


def _kind_of(value: object) -> str:
    if value is None:
        return "None"
    name = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"the class {name}" if isinstance(value, type) else f"a {name}"


def _looks_like_hook(name: str, value: object, module: ModuleType) -> bool:
    """Whether an unmarked `value` has a name that is reserved for hooks.

    Imported functions and submodules with such a name don't count, unless the name is a hook's.
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
            remedy += " Names that start with 'harness_' are reserved for hooks."
        return PluginError(f"there is no hook '{hook}'{place}", remedy=remedy)
    if not inspect.isfunction(value):
        return PluginError(f"{hook} is not a plain function{place}", remedy="Write it with def.")
    assert marks is not None
    if marks.get("wrapper") or marks.get("hookwrapper"):
        return PluginError(
            f"{hook} wraps other hooks{place}", remedy="Mark it with @hookimpl, without options."
        )
    passed = list(inspect.signature(SPECS[hook]).parameters)
    parameters = list(inspect.signature(value).parameters.values())
    required = [p for p in parameters if p.default is p.empty and p.kind in _NAMED]
    if any(p.name not in passed or p.kind is p.KEYWORD_ONLY for p in required):
        remedy = f"Its arguments are ({', '.join(passed)}), or fewer." if passed else "It has no arguments."
        return PluginError(f"{hook} has parameters that it is not called with{place}", remedy=remedy)
    with_default = [p.name for p in parameters if p.name in passed and p not in required]
    if with_default:
        # pluggy does not pass arguments that have a default.
        return PluginError(
            f"{hook} has a default for '{with_default[0]}', so it would never be passed{place}",
            remedy="Remove the default.",
        )
    return None


def _place(value: Any) -> str:
    code = getattr(inspect.unwrap(value), "__code__", None)
    return f" ({shorten(code.co_filename)}:{code.co_firstlineno})" if code is not None else ""
