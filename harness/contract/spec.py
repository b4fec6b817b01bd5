"""The specification of a run: the full and only description of what it does, in ``spec.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from harness.contract.layout import Misfit, as_json, optional, read
from harness.contract.migrations import SCHEMA, lift_spec
from harness.contract.protocol import RunProtocol, ScoringProtocol
from harness.errors import HarnessError

Kind = Literal["model", "loss", "dataset"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of plugins that a run has, one of each."""

AGAIN = "Delete its folder and run again."


@dataclass(frozen=True, kw_only=True)
class PluginSpec:
    """A plugin with all its parameters. External predictions have neither `target` nor `distribution`.

    `requires` names the optional packages that the plugin imports.
    """

    name: str
    label: str
    version: int
    target: str = optional("")
    params: Mapping[str, Any]
    distribution: str | None = optional(None)
    requires: tuple[str, ...] = optional(())


@dataclass(frozen=True, kw_only=True)
class ModelSpec(PluginSpec):
    """The model of a run. `external` predictions were made by another tool and have no `dims`."""

    dims: int | None
    external: bool = optional(False)

    @property
    def trained_dims(self) -> int:
        """`dims` of a model that is trained; HarnessError for external predictions."""
        if self.dims is None:
            raise HarnessError("has no dimensions, as it was not trained here", where=self.label)
        return self.dims


@dataclass(frozen=True, kw_only=True)
class LossSpec(PluginSpec):
    """The loss of a run."""


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(PluginSpec):
    """The dataset of a run; `structures` maps names to label values, in the dataset's order."""

    structures: Mapping[str, int]
    phases: tuple[str, ...]
    cases: int
    patients: int


@dataclass(frozen=True)
class PartsSpec:
    """The patients of the training, validation and test set."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def sizes(self) -> dict[str, int]:
        """The number of patients in each set."""
        return {"train": len(self.train), "validation": len(self.validation), "test": len(self.test)}


@dataclass(frozen=True)
class Algorithms:
    """Versions of the harness's own steps."""

    prepare: int
    score: int
    train: int


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One run: which plugins, under which protocol, on which patients.

    `scoring` is the part of the protocol that every run has; `protocol` is the whole protocol of a run
    that is trained. `keys` are explained in docs/record.md.
    """

    schema: int = SCHEMA
    algorithms: Algorithms
    leaderboard: str
    label: str
    model: ModelSpec
    loss: LossSpec
    dataset: DatasetSpec
    seed: int
    fold: int
    parts: PartsSpec
    manifest_hash: str
    split_hash: str
    scoring: ScoringProtocol = field(metadata={"name": "protocol"})
    keys: Mapping[str, str]
    run_id: str

    @property
    def protocol(self) -> RunProtocol:
        """The protocol of a run that is trained; HarnessError for external predictions."""
        if not isinstance(self.scoring, RunProtocol):
            raise HarnessError("was not trained here, so it has no training protocol", where=self.run_id)
        return self.scoring

    def plugin(self, kind: Kind) -> PluginSpec:
        """The plugin of a kind."""
        plugins: dict[Kind, PluginSpec] = {"model": self.model, "loss": self.loss, "dataset": self.dataset}
        return plugins[kind]

    def as_json(self) -> dict[str, Any]:
        """The content of ``spec.json``."""
        return as_json(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], run_id: object = None) -> RunSpec:
        """From the content of a ``spec.json``, of this or an earlier layout.

        HarnessError that names the run and the field for a value that does not fit, and both
        versions for a layout that is newer than this one.
        """
        name = value.get("run_id") if run_id is None else run_id
        try:
            return read(cls, lift_spec(value, f"the spec of run {name!r}"))
        except Misfit as error:
            raise HarnessError(f"run {name!r}: spec.{error}", remedy=AGAIN) from None
