"""A trial that `harness plan` has a child process make, and its answer: memory and time of an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.contract.layout import Misfit, as_json, read
from harness.contract.spec import RunSpec
from harness.errors import HarnessError


@dataclass(frozen=True)
class Trial:
    """A run to try on random images with `channels` channels; the largest case has `deepest` slices."""

    spec: RunSpec
    channels: int
    deepest: int
    plugin_files: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return as_json(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Trial:
        """From JSON values; HarnessError that names the field that does not fit."""
        try:
            return read(cls, dict(value))
        except Misfit as error:
            raise HarnessError(f"trial.{error}", where="preflight") from None


@dataclass(frozen=True)
class Footprint:
    """Seconds of a step, of a coarse step and of the largest prediction, and peak memory in MiB.

    GPU memory is None on a CPU; `coarse_step_s` is 0 if the protocol has no coarse epochs.
    """

    step_s: float
    coarse_step_s: float
    predict_s: float
    gpu_train_mib: float | None
    gpu_predict_mib: float | None
    host_mib: float

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return as_json(self)


@dataclass(frozen=True)
class FailedTrial:
    """Why an entry failed in its trial."""

    failure: str

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return as_json(self)


def answer_from_json(value: object) -> Footprint | FailedTrial:
    """The answer of a trial; Misfit if it is not valid."""
    if isinstance(value, dict) and "failure" in value:
        return read(FailedTrial, value)
    return read(Footprint, value)
