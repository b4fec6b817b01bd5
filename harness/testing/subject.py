"""What is checked: a record, its parameters, who registers it, and where its data lies."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from harness.contract.spec import LossSpec, ModelSpec
from harness.errors import PluginError
from harness.plugins.blame import describe
from harness.plugins.hooks import RETURNS, call, find_hooks
from harness.plugins.records import KIND, Dataset, Kind, Loss, Model, Plugin

if TYPE_CHECKING:
    from harness.plugins.registry import Registered, Registry

Compatible = Callable[[Model, Loss, Dataset], str | None]

Root = Path | Callable[[Path], object]
"""A dataset's folder, or a function that writes one into the empty folder that it is given."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Subject:
    """A plugin under check.

    `params` are those that differ from the record's defaults. `origin` is the module or the file
    that registers it, empty where unknown; `problems` are what else is wrong there, with remedies.
    `root` is a dataset's folder or a function that makes it, None where none was told; `lent` says
    that it is an empty one.
    `compatible` is asked what a loss is not made for.
    """

    record: Plugin
    params: Mapping[str, Any] = field(default_factory=dict)
    origin: str = ""
    problems: tuple[tuple[str, str], ...] = ()
    root: Root | None = None
    lent: bool = False
    compatible: Compatible = lambda model, loss, dataset: None

    @property
    def kind(self) -> Kind:
        """The record's."""
        return KIND[type(self.record)]

    @property
    def resolved(self) -> dict[str, Any]:
        """All parameters, defaults filled in."""
        return {**self.record.defaults, **self.params}

    def _fields(self) -> dict[str, Any]:
        """The fields of its `PluginSpec`."""
        record = self.record
        about = {"name": record.name, "label": record.name, "version": record.version}
        return {**about, "target": record.target, "params": self.resolved}

    @property
    def model(self) -> ModelSpec:
        """The specification of a model."""
        assert isinstance(self.record, Model)
        return ModelSpec(**self._fields(), dims=self.record.dims)

    @property
    def loss(self) -> LossSpec:
        """The specification of a loss."""
        return LossSpec(**self._fields())


def registered(
    found: Registered, registry: Registry, params: Mapping[str, Any] = NOTHING, root: Path | None = None
) -> Subject:
    """A plugin that discovery found."""
    problems = tuple(
        (card.error, card.remedy)
        for card in registry.broken
        if card.origin and card.origin == found.origin and card.distribution == found.distribution
    )
    return Subject(found.record, params, found.origin, problems, root, compatible=registry.compatible)


def subjects_of(
    given: Plugin | ModuleType, params: Mapping[str, Mapping[str, Any]], roots: Mapping[str, Root]
) -> Iterator[Subject]:
    """The plugins that a module registers, or the one of a record.

    `params` and `roots` are by plugin name; without a root, ``HARNESS_<NAME>_ROOT`` counts.
    PluginError for a module that registers none.
    """
    if isinstance(given, Plugin):
        yield Subject(given, params.get(given.name, {}), root=_root(given.name, roots))
        return
    hooks, mistakes = find_hooks(given)
    records: list[Plugin] = []
    errors: list[BaseException] = list(mistakes)
    for name in (name for name in RETURNS if name in hooks):
        made, wrong = call(name, hooks[name])
        records += made
        errors += wrong
    if not records:
        raise PluginError(
            describe(errors[0]) if errors else "registers no plugin",
            where=given.__name__,
            remedy="Give the module that has the hooks.",
        )
    remedies = (getattr(error, "remedy", None) or "Correct that hook." for error in errors)
    problems = tuple(zip(map(describe, errors), remedies, strict=True))
    for record in records:
        yield Subject(
            record,
            params.get(record.name, {}),
            _origin(given),
            problems,
            _root(record.name, roots),
            compatible=_asked(hooks.get("harness_compatible")),
        )


def _root(name: str, roots: Mapping[str, Root]) -> Root | None:
    told = os.environ.get("HARNESS_" + re.sub(r"\W", "_", name).upper() + "_ROOT")
    return roots.get(name) or (Path(told) if told else None)


def _origin(module: ModuleType) -> str:
    """A package by its name; a file of its own by its path, for it need not be on the path."""
    if hasattr(module, "__path__") or "." in module.__name__ or not module.__file__:
        return module.__name__
    return str(Path(module.__file__).absolute())


def _asked(hook: Callable[..., Any] | None) -> Compatible:
    """A module's ``harness_compatible``, given only those records that it asks for."""
    if hook is None:
        return lambda model, loss, dataset: None
    names = tuple(inspect.signature(hook).parameters)

    def ask(model: Model, loss: Loss, dataset: Dataset) -> str | None:
        given = {"model": model, "loss": loss, "dataset": dataset}
        reason: str | None = hook(*(given[name] for name in names))
        return reason

    return ask
