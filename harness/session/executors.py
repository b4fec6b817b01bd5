"""Opening executors by name, with parameters of harness.toml and of a command."""

from __future__ import annotations

from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from harness.config.load import Project
from harness.errors import ConfigError, nearest
from harness.execute.executor import RunExecutor, check
from harness.plan.choice import choose, parse
from harness.plugins.blame import calling
from harness.plugins.manager import Registry
from harness.plugins.resolve import resolve

DEFAULT = "local"


def open_executor(
    registry: Registry, project: Project, text: str = DEFAULT, **options: Any
) -> tuple[RunExecutor, str]:
    """The executor that `text` names, and its name.

    Its parameters are its defaults, then ``[executor.NAME]`` of harness.toml, then those in `text`,
    then `options` that are not None. ConfigError for a parameter that it does not have.
    """
    choice = choose(registry, "executor", text)
    defaults, (_, written) = choice.record.defaults, parse(text)
    site = project.settings.executor.get(choice.name, {})
    arguments = {name: value for name, value in options.items() if value is not None}
    for source, names in (
        (f"[executor.{choice.name}] of {project.file}", site),
        (f"--executor {choice.name}", arguments),
    ):
        unknown = [name for name in names if name not in defaults]
        if unknown:
            raise ConfigError(
                f"no parameter '{unknown[0]}'", where=source, remedy=nearest(unknown[0], defaults)
            )
    target = resolve(choice.record.target, where=f"executor {choice.name}")
    values = {**defaults, **site, **written, **arguments}
    _check_types(target, values, f"executor {choice.name}")
    with calling("executor"):
        made = target(**values)  # type: ignore[operator]
    return check(made, choice.name), choice.name


def _check_types(target: object, values: dict[str, Any], where: str) -> None:
    """ConfigError for a value that doesn't match the type in the executor's signature, if it has types."""
    try:
        hints = get_type_hints(target.__init__ if isinstance(target, type) else target, include_extras=True)  # type: ignore[misc]
    except (NameError, TypeError, AttributeError):
        return
    for name, value in values.items():
        if name in hints:
            try:
                TypeAdapter(hints[name]).validate_python(value, strict=True)
            except ValidationError as error:
                problem = error.errors()[0]["msg"]
                raise ConfigError(f"{name} = {value!r}: {problem}", where=where) from error
