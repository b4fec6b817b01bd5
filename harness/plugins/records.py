"""What hooks return: frozen records that name an implementation without importing it.

A record's `target` is a string ``"package.module:attribute"``, which is imported when a run
needs it. So listing plugins does not import torch, and records can be tested and compared.
`requires` maps optional packages that the target imports to what pip installs for them, such
as ``{"monai": "cardiac-harness[monai]"}``. If one is missing, the plugin is listed as not available.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.errors import PluginError

Kind = Literal["model", "loss", "dataset", "executor"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def _check(record: Plugin) -> None:
    where = f"{type(record).__name__} {record.name!r}"
    if not isinstance(record.name, str) or not _NAME.fullmatch(record.name):
        raise PluginError(
            "invalid plugin name", where=where, remedy="Use lower-case letters, digits, '-', '_' and '.'."
        )
    if not isinstance(record.target, str) or not _TARGET.fullmatch(record.target):
        raise PluginError(
            f"target {record.target!r} is not a string of the form 'package.module:attribute'",
            where=where,
            remedy="Give the name of the implementation, not the object.",
        )
    if not isinstance(record.summary, str) or not record.summary.strip() or "\n" in record.summary:
        raise PluginError(f"summary {record.summary!r} is not a single line of text", where=where)
    if isinstance(record.version, bool) or not isinstance(record.version, int) or record.version < 1:
        raise PluginError(f"version {record.version!r} is not a positive integer", where=where)
    _check_defaults(record.defaults, where)
    _check_requires(record.requires, where)
    for name in ("references", "phases"):
        if hasattr(record, name):
            object.__setattr__(record, name, _strings(getattr(record, name), name, where))


def _check_defaults(defaults: object, where: str) -> None:
    if not isinstance(defaults, Mapping) or not all(isinstance(key, str) for key in defaults):
        raise PluginError(f"defaults {defaults!r} is not a mapping of parameter names", where=where)
    for key, value in defaults.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise PluginError(
                f"{key} = {value!r} in defaults can't be part of a run's key",
                where=where,
                remedy="Use numbers, strings, booleans, None, and lists and mappings of these.",
            ) from error


def _check_requires(requires: object, where: str) -> None:
    pairs = requires.items() if isinstance(requires, Mapping) else [(None, None)]
    strings = all(isinstance(word, str) and word.strip() for pair in pairs for word in pair)
    # Searching for a submodule would import its parent package.
    if not strings or not all(str(package).isidentifier() for package, _ in pairs):
        raise PluginError(
            f"requires {requires!r} is not a mapping from packages to pip requirements",
            where=where,
            remedy='Write for example {"monai": "monai>=1.5"}.',
        )


def _strings(value: object, name: str, where: str) -> tuple[str, ...]:
    """A sequence of strings as a tuple. A single string is an error: a comma is missing in ``("ED",)``."""
    if (
        isinstance(value, str)
        or not isinstance(value, Sequence)
        or not all(isinstance(v, str) for v in value)
    ):
        raise PluginError(f"{name} {value!r} is not a tuple of strings", where=where)
    return tuple(value)


def _check_structures(structures: object, where: str) -> None:
    if not isinstance(structures, Mapping) or not all(isinstance(name, str) for name in structures):
        raise PluginError(
            f"structures {structures!r} is not a mapping from names to label values", where=where
        )
    values = list(structures.values())
    valid = all(type(value) is int and 0 < value < 256 for value in values)
    if not valid or len(set(values)) < len(values):
        raise PluginError(
            f"structures {dict(structures)!r} do not have distinct label values from 1 to 255",
            where=where,
            remedy="Give each structure its own label value; 0 is the background.",
        )


@dataclass(frozen=True, kw_only=False)
class Model:
    """A network. ``target(task, **params) -> torch.nn.Module``.

    `forward(x)` takes ``(B, C, H, W)`` for ``dims=2`` and ``(B, C, D, H, W)`` for ``dims=3``,
    any D, and returns logits ``(B, K, ...)`` of the same spatial size. In training mode it may return a
    list, for deep supervision: the full-size logits first, then smaller ones; their losses are added
    with weights 1, 1/2, 1/4, …, divided by the sum of the weights. If a 2D model has a parameter
    ``slices``, the harness reads it too: that many adjacent slices (an odd number) become the input
    channels. `version` is part of a run's key: raise it when a change affects scores.
    """

    name: str
    target: str
    dims: int
    summary: str
    version: int = 1
    defaults: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    requires: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)
        if type(self.dims) is not int or self.dims not in (2, 3):
            raise PluginError(f"dims {self.dims!r} is neither 2 nor 3", where=f"Model {self.name!r}")


@dataclass(frozen=True)
class Loss:
    """A training loss. ``target(task, **params) -> torch.nn.Module``.

    `forward(logits, labels)` takes logits ``(B, K, ...)`` and labels ``(B, ...)`` int64 and
    returns a scalar.
    """

    name: str
    target: str
    summary: str
    version: int = 1
    defaults: Mapping[str, Any] = field(default_factory=dict)
    references: tuple[str, ...] = ()
    requires: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)


@dataclass(frozen=True)
class Dataset:
    """A dataset. ``target(root, **params)`` returns an object with ``cases() -> Sequence[Case]``.

    `structures` maps a structure's name to its label value; `phases` lists the phases
    (empty for a dataset without phases). If they are known only from the files, the object can
    have attributes `structures` and `phases`, which take precedence. `root` is always a path: the
    configured one, or a folder of the harness where a generated dataset may write. `embeddable` says
    that the licence allows its images in a report that is shared.
    """

    name: str
    target: str
    summary: str
    version: int = 1
    structures: Mapping[str, int] = field(default_factory=dict)
    phases: tuple[str, ...] = ()
    licence: str = ""
    homepage: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    requires: Mapping[str, str] = field(default_factory=dict)
    embeddable: bool = False

    def __post_init__(self) -> None:
        _check(self)
        _check_structures(self.structures, f"Dataset {self.name!r}")


@dataclass(frozen=True)
class Executor:
    """What starts workers. ``target(**params)`` returns a `harness.execute.executor.RunExecutor`.

    `defaults` has ``jobs``: the largest number of simultaneous runs, None for as many as there is room for.
    """

    name: str
    target: str
    summary: str
    version: int = 1
    defaults: Mapping[str, Any] = field(default_factory=dict)
    requires: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self)
        if "jobs" not in self.defaults:
            raise PluginError(
                "has no parameter 'jobs'",
                where=f"Executor {self.name!r}",
                remedy="Give defaults={'jobs': None}: the largest number of simultaneous runs.",
            )


Plugin = Model | Loss | Dataset | Executor

KIND: Mapping[type, Kind] = {Model: "model", Loss: "loss", Dataset: "dataset", Executor: "executor"}


@dataclass(frozen=True)
class Task:
    """What a model or a loss is built for.

    `channels` is C in the input of `forward`: image channels times context slices. `classes`
    is K, including the background (class 0); class k is ``structures[k - 1]``. `class_weights`
    has K numbers. `slices` is the number of adjacent slices in the input (1: no context).
    """

    dims: int
    channels: int
    classes: int
    class_weights: tuple[float, ...]
    structures: tuple[str, ...]
    slices: int = 1
