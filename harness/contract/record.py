"""The record: the result of a run, and the only thing that ranking and reports read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.contract.layout import Misfit, as_json, optional, read
from harness.contract.migrations import SCHEMA, lift_record
from harness.contract.spec import RunSpec
from harness.errors import Blame, HarnessError

Status = Literal["done", "failed", "timeout", "out-of-memory", "interrupted"]
State = Literal["ok", "both-empty", "prediction-empty", "reference-empty", "error"]


@dataclass(frozen=True, slots=True)
class CaseScore:
    """One line of ``cases.jsonl``: one metric of one structure in one case.

    `phase` is None in a dataset without phases; `value` is None in the states that have none
    (``both-empty`` and ``error``); `spacing_mm` is the native ``(z, y, x)``.
    """

    case: str
    patient: str
    phase: str | None
    group: str | None
    structure: str
    metric: str
    value: float | None
    unit: str
    state: State
    spacing_mm: tuple[float, float, float]


@dataclass(frozen=True)
class Failure:
    """Why a run has no result: the phase in which it failed, the cause, and one line for the user."""

    phase: str
    blame: Blame
    message: str


@dataclass(frozen=True)
class PluginProvenance:
    """The code of a plugin: the SHA-256 of its file (`source`), and versions of required `packages`."""

    name: str
    version: int
    distribution: str | None
    source: str
    packages: Mapping[str, str | None] | None = optional(None)


@dataclass(frozen=True)
class Environment:
    """Versions and settings that can affect bits or speed."""

    harness: str
    commit: str | None
    python: str
    torch: str
    cuda: str | None
    system: str
    device: str
    precision: str
    threads: int
    cpu_capability: str
    driver: str | None = optional(None)


@dataclass(frozen=True)
class Contention:
    """Other processes during a measurement: their share of the cores, their number on the GPU."""

    cpu_foreign: float | None
    gpu_foreign: int
    shared: bool


@dataclass(frozen=True)
class Hardware:
    """The machine; `name` is its hardware class, and costs are comparable only if it is equal.

    A failed run has neither `trained_on`, the classes of the machines that trained, nor `contention`
    in training and prediction.
    """

    name: str = field(metadata={"name": "class"})
    gpu: str | None
    cpu: str
    cores: int
    ram_gib: float
    trained_on: tuple[str, ...] | None = optional(None)
    contention: Mapping[str, Contention] | None = optional(None)


@dataclass(frozen=True)
class DataUsed:
    """The data of a run: hashes, patients in each set, and where the training data was.

    `missing` are the cases that external predictions lack.
    """

    manifest_hash: str
    split_hash: str
    patients: Mapping[str, int]
    training_on: str | None = optional(None)
    missing: tuple[str, ...] | None = optional(None)

    @classmethod
    def of(cls, spec: RunSpec, **more: Any) -> DataUsed:
        """The data of a run; `more` are the fields that its specification does not have."""
        return cls(spec.manifest_hash, spec.split_hash, spec.parts.sizes(), **more)


@dataclass(frozen=True)
class ModelSize:
    """Parameters, FLOPs of one forward pass over `flops_shape`, and the energy of training in J."""

    parameters: int
    flops: int | None
    flops_shape: tuple[int, ...]
    training_energy_j: float | None


@dataclass(frozen=True)
class Epoch:
    """One epoch of training: its mean loss, and the validation Dice where it was validated."""

    epoch: int
    loss: float
    validation_dice: float | None = optional(None)


_PARTS = ("environment", "hardware", "data", "model")
"""Fields that are written as an empty object if they are None."""


@dataclass(frozen=True)
class Record:
    """``record.json`` and ``cases.jsonl`` of one run. docs/record.md explains every field.

    `time_s` has seconds by phase and the statistics of steps and volumes, `memory_mib` the peaks.
    """

    run_id: str
    keys: Mapping[str, str]
    spec: RunSpec
    status: Status
    failure: Failure | None = None
    attempts: int = 1
    plugins: Mapping[str, PluginProvenance] = field(default_factory=dict)
    environment: Environment | None = None
    hardware: Hardware | None = None
    data: DataUsed | None = None
    model: ModelSize | None = None
    time_s: Mapping[str, float | None] = field(default_factory=dict)
    memory_mib: Mapping[str, float | None] = field(default_factory=dict)
    history: tuple[Epoch, ...] = ()
    schema: int = SCHEMA
    cases: tuple[CaseScore, ...] = field(default=(), metadata={"apart": True})

    @property
    def missing(self) -> tuple[str, ...]:
        """The cases that external predictions lack."""
        return (self.data.missing if self.data is not None else None) or ()

    def header(self) -> dict[str, Any]:
        """Everything but the cases, as JSON values (the content of ``record.json``)."""
        value = as_json(self)
        for name in _PARTS:
            if value[name] is None:
                value[name] = {}
        return {"schema": value.pop("schema"), **value}

    @classmethod
    def from_json(cls, header: Mapping[str, Any], cases: Iterable[CaseScore] = ()) -> Record:
        """From the content of a ``record.json``, of this or an earlier layout.

        HarnessError that names the run and the field for a value that does not fit, and both
        versions for a layout that is newer than this one.
        """
        run_id = header.get("run_id")
        try:
            value = lift_record(header, run_id)
            for name in _PARTS:
                if value.get(name) == {}:
                    value[name] = None
            record = read(cls, value)
        except Misfit as error:
            raise HarnessError(f"run {run_id!r}: record.{error}", remedy="Run it again.") from None
        object.__setattr__(record, "cases", tuple(cases))
        return record
