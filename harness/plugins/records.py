"""What hooks return: frozen records that name an implementation and never import it.

A record's `target` is a string ``"package.module:attribute"``; it is imported when a run
needs it. So listing plugins costs no torch, and a record can be tested and compared.
`requires` names optional packages that the target imports, and what pip installs to get each, such
as ``{"monai": "cardiac-harness[monai]"}``. Where one is missing the plugin is listed as not available.
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
            "not a plugin name", where=where, remedy="Use lower-case letters, digits, '-', '_' and '.'."
        )
    if not isinstance(record.target, str) or not _TARGET.fullmatch(record.target):
        raise PluginError(
            f"target {record.target!r} is not a string 'package.module:attribute'",
            where=where,
            remedy="Name the implementation, don't pass it.",
        )
    if not isinstance(record.summary, str) or not record.summary.strip() or "\n" in record.summary:
        raise PluginError(f"summary {record.summary!r} is not a line of text", where=where)
    if isinstance(record.version, bool) or not isinstance(record.version, int) or record.version < 1:
        raise PluginError(f"version {record.version!r} is not a whole number from 1 up", where=where)
    _check_defaults(record.defaults, where)
    _check_requires(record.requires, where)
    for name in ("references", "phases"):
        if hasattr(record, name):
            object.__setattr__(record, name, _texts(getattr(record, name), name, where))


def _check_defaults(defaults: object, where: str) -> None:
    if not isinstance(defaults, Mapping) or not all(isinstance(key, str) for key in defaults):
        raise PluginError(f"defaults {defaults!r} is not a mapping of parameter names", where=where)
    for key, value in defaults.items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise PluginError(
                f"defaults has {key} = {value!r}, which can't be part of a run's key",
                where=where,
                remedy="Use numbers, texts, true, false, None, lists and mappings of them.",
            ) from error


def _check_requires(requires: object, where: str) -> None:
    pairs = requires.items() if isinstance(requires, Mapping) else [(None, None)]
    texts = all(isinstance(word, str) and word.strip() for pair in pairs for word in pair)
    # To look for a submodule would import the package above it.
    if not texts or not all(str(package).isidentifier() for package, _ in pairs):
        raise PluginError(
            f"requires {requires!r} is not a mapping of packages to what pip installs",
            where=where,
            remedy='Write for example {"monai": "monai>=1.5"}.',
        )


def _texts(value: object, name: str, where: str) -> tuple[str, ...]:
    """A sequence of texts as a tuple; one text alone is the comma that was forgotten in ``("ED",)``."""
    if (
        isinstance(value, str)
        or not isinstance(value, Sequence)
        or not all(isinstance(v, str) for v in value)
    ):
        raise PluginError(f"{name} {value!r} is not a tuple of texts", where=where)
    return tuple(value)


def _check_structures(structures: object, where: str) -> None:
    if not isinstance(structures, Mapping) or not all(isinstance(name, str) for name in structures):
        raise PluginError(f"structures {structures!r} is not a mapping of names to label values", where=where)
    values = list(structures.values())
    right = all(type(value) is int and 0 < value < 256 for value in values)
    if not right or len(set(values)) < len(values):
        raise PluginError(
            f"structures {dict(structures)!r}",
            where=where,
            remedy="Give each a label value of its own, from 1 to 255; 0 is the background.",
        )


@dataclass(frozen=True, kw_only=False)
class Model:
    """A network. ``target(task, **params) -> torch.nn.Module``.

    `forward(x)` takes ``(B, C, H, W)`` for ``dims=2`` and ``(B, C, D, H, W)`` for ``dims=3``,
    any D, and gives logits ``(B, K, ...)`` of the same spatial size. In training mode it may give a
    list of them, for deep supervision: the full-size logits first, then logits of smaller sizes; their
    losses are added with weights 1, 1/2, 1/4 …, divided by the sum of these. A parameter named
    ``slices`` of a 2D model is read by the harness too: that many neighbouring slices (odd)
    become the input channels. `version` is part of a run's key: raise it when scores move.
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
    gives a scalar.
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
    """A dataset. ``target(root, **params)`` gives an object with ``cases() -> Sequence[Case]``.

    `structures` maps a structure's name to its label value; `phases` lists the phases
    (empty for a dataset without). An object may carry `structures` and `phases` of its own
    where only the files tell; these then win. `root` is always a path: the configured one,
    or a folder of the harness where a generated dataset may write. `embeddable` says that the
    licence lets images of it stand in a report that is passed on.
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
    """A place where runs happen. ``target(**params)`` gives a `harness.execute.executor.RunExecutor`.

    `defaults` has ``jobs``: how many runs it is given at once, None for as many as it has room for.
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
                remedy="Give defaults={'jobs': None}: how many runs it gets at once.",
            )


Plugin = Model | Loss | Dataset | Executor

KIND: Mapping[type, Kind] = {Model: "model", Loss: "loss", Dataset: "dataset", Executor: "executor"}


@dataclass(frozen=True)
class Task:
    """What a model or a loss is built for.

    `channels` is what `forward` gets as C: image channels times context slices. `classes`
    is K, background (class 0) included; class k is ``structures[k - 1]``. `class_weights`
    has K numbers. `slices` is the number of context slices (1: none).
    """

    dims: int
    channels: int
    classes: int
    class_weights: tuple[float, ...]
    structures: tuple[str, ...]
    slices: int = 1
