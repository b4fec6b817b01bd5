"""Specifications of the runs that a plan needs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from harness.config.protocol import Protocol
from harness.contract.protocol import ScoringProtocol
from harness.contract.spec import LossSpec, ModelSpec, PartsSpec, RunSpec
from harness.plan.data import Data
from harness.plan.keys import algorithms, external_keys, keys
from harness.plan.matrix import PlannedEntry

EXTERNAL = "external"
"""The name that stands for the loss of external predictions."""


def make_spec(
    leaderboard: str, entry: PlannedEntry, protocol: Protocol, data: Data, seed: int, fold: int
) -> RunSpec:
    """The specification of one run of an entry."""
    resolved = protocol.resolved(entry.dims)
    model = ModelSpec(**entry.model.as_spec(), dims=entry.dims)
    loss = LossSpec(**entry.loss.as_spec())
    spec = _unnamed(leaderboard, entry.label, model, loss, data, seed, fold, resolved)
    return _named(replace(spec, keys=keys(spec)))


def external_spec(leaderboard: str, name: str, protocol: Protocol, data: Data, fold: int) -> RunSpec:
    """The specification of scoring predictions of one fold that another tool called `name` made.

    It has only the scoring part of the protocol, and the protocol's first seed, which gives it a place on
    the leaderboard.
    """
    about: dict[str, Any] = {"version": 1, "params": {}}
    model = ModelSpec(name=name, label=name, dims=None, external=True, **about)
    loss = LossSpec(name=EXTERNAL, label=EXTERNAL, **about)
    scoring = protocol.scoring()
    spec = _unnamed(leaderboard, name, model, loss, data, protocol.seeds[0], fold, scoring)
    return _named(replace(spec, keys=external_keys(spec)))


def _unnamed(
    leaderboard: str,
    label: str,
    model: ModelSpec,
    loss: LossSpec,
    data: Data,
    seed: int,
    fold: int,
    protocol: ScoringProtocol,
) -> RunSpec:
    """A specification without the keys and the id that follow from it."""
    parts = data.split.folds[fold]
    return RunSpec(
        algorithms=algorithms(protocol),
        leaderboard=leaderboard,
        label=label,
        model=model,
        loss=loss,
        dataset=data.spec(),
        seed=seed,
        fold=fold,
        parts=PartsSpec(parts.train, parts.validation, parts.test),
        manifest_hash=data.manifest.hash,
        split_hash=data.split.hash,
        scoring=protocol,
        keys={},
        run_id="",
    )


def _named(spec: RunSpec) -> RunSpec:
    return replace(spec, run_id=run_id(spec))


def run_id(spec: RunSpec) -> str:
    """A readable name, which differs between runs with different training."""
    words = [spec.model.label, spec.loss.label, spec.dataset.label]
    plain = [re.sub(r"[^A-Za-z0-9=.]+", "-", word).strip("-") for word in words]
    return "__".join([*plain, f"s{spec.seed}-f{spec.fold}", spec.keys["train"][:10]])
