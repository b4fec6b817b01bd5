"""Specifications of runs as a planner would write them, for tests that need no data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from harness.config.protocol import Protocol
from harness.contract.protocol import RunProtocol
from harness.contract.spec import Algorithms, DatasetSpec, LossSpec, ModelSpec, PartsSpec, RunSpec

HEART = {"RV": 1, "MYO": 2, "LV": 3}


def run_protocol(dims: int = 2, **changes: Any) -> RunProtocol:
    """The default protocol as models of `dims` follow it, with other values of some fields."""
    return replace(Protocol().resolved(dims), **changes)


def run_spec(
    model: str = "my-model",
    loss: str = "my-loss",
    dataset: str = "my-data",
    *,
    dims: int = 2,
    structures: Mapping[str, int] = HEART,
    phases: Iterable[str] = ("ED", "ES"),
    keys: Mapping[str, str] = MappingProxyType({}),
    **other: Any,
) -> RunSpec:
    """A specification by labels of its plugins; `other` fields replace those that are made up."""

    def plugin(label: str) -> dict[str, Any]:
        return {"name": label.partition("[")[0], "version": 1, "params": {}, "label": label}

    values: dict[str, Any] = {
        "algorithms": Algorithms(prepare=1, score=1, train=2),
        "leaderboard": "quick",
        "label": f"{model} + {loss}",
        "model": ModelSpec(**plugin(model), dims=dims),
        "loss": LossSpec(**plugin(loss)),
        "dataset": DatasetSpec(
            **plugin(dataset), structures=dict(structures), phases=tuple(phases), cases=20, patients=10
        ),
        "seed": 0,
        "fold": 0,
        "parts": PartsSpec((), (), ()),
        "manifest_hash": "da7a" * 16,
        "split_hash": "5e6f7a8b" * 8,
        "scoring": run_protocol(dims),
        "keys": dict(keys),
        "run_id": "",
    }
    return RunSpec(**{**values, **other})


def with_protocol(spec: RunSpec, **changes: Any) -> RunSpec:
    """`spec` with other values of some fields of its protocol."""
    return replace(spec, scoring=replace(spec.protocol, **changes))


def with_model(spec: RunSpec, **changes: Any) -> RunSpec:
    """`spec` with other values of some fields of its model."""
    return replace(spec, model=replace(spec.model, **changes))
