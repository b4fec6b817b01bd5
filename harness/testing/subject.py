"""The subject of a check: a record, its parameters, the module that registers it, and its data."""

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
"""A dataset's folder, or a function that writes a dataset into an empty folder."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Subject:
    """A plugin under check.

    `params` are those that differ from the record's defaults. `origin` is the module or file that
    registers it, empty if unknown; `problems` are other errors in it, with remedies. `root` is a
    dataset's folder or a function that makes it, None if not given; `lent` says that it is an empty
    folder. `compatible` says which models and datasets a loss can't be used with.
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
        """The kind of the plugin."""
        return KIND[type(self.record)]

    @property
    def resolved(self) -> dict[str, Any]:
        """All parameters, including defaults."""
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
    plugin: Registered, registry: Registry, params: Mapping[str, Any] = NOTHING, root: Path | None = None
) -> Subject:
    """The subject of a registered plugin."""
    problems = tuple(
        (card.error, card.remedy)
        for card in registry.broken
        if card.origin and card.origin == plugin.origin and card.distribution == plugin.distribution
    )
    return Subject(plugin.record, params, plugin.origin, problems, root, compatible=registry.compatible)


def subjects_of(
    source: Plugin | ModuleType, params: Mapping[str, Mapping[str, Any]], roots: Mapping[str, Root]
) -> Iterator[Subject]:
    """The subjects of all plugins that a module registers, or of a record.

    `params` and `roots` are by plugin name; the default root is ``HARNESS_<NAME>_ROOT``.
    PluginError for a module that registers no plugin.
    """
    if isinstance(source, Plugin):
        yield Subject(source, params.get(source.name, {}), root=_root(source.name, roots))
        return
    hooks, hook_errors = find_hooks(source)
    records: list[Plugin] = []
    errors: list[BaseException] = list(hook_errors)
    for name in (name for name in RETURNS if name in hooks):
        hook_records, record_errors = call(name, hooks[name])
        records += hook_records
        errors += record_errors
    if not records:
        raise PluginError(
            describe(errors[0]) if errors else "registers no plugin",
            where=source.__name__,
            remedy="Give the module that has the hooks.",
        )
    remedies = (getattr(error, "remedy", None) or "Correct that hook." for error in errors)
    problems = tuple(zip(map(describe, errors), remedies, strict=True))
    for record in records:
        yield Subject(
            record,
            params.get(record.name, {}),
            _origin(source),
            problems,
            _root(record.name, roots),
            compatible=_compatible(hooks.get("harness_compatible")),
        )


def _root(name: str, roots: Mapping[str, Root]) -> Root | None:
    from_environment = os.environ.get("HARNESS_" + re.sub(r"\W", "_", name).upper() + "_ROOT")
    return roots.get(name) or (Path(from_environment) if from_environment else None)


def _origin(module: ModuleType) -> str:
    """The name of a package, or the path of a single file, which may not be importable by name."""
    if hasattr(module, "__path__") or "." in module.__name__ or not module.__file__:
        return module.__name__
    return str(Path(module.__file__).absolute())


def _compatible(hook: Callable[..., Any] | None) -> Compatible:
    """A module's ``harness_compatible``, called with only the records that it takes."""
    if hook is None:
        return lambda model, loss, dataset: None
    names = tuple(inspect.signature(hook).parameters)

    def compatible(model: Model, loss: Loss, dataset: Dataset) -> str | None:
        records = {"model": model, "loss": loss, "dataset": dataset}
        reason: str | None = hook(*(records[name] for name in names))
        return reason

    return compatible
