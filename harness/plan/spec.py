"""The spec: the full and only description of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from harness.config.protocol import Protocol, scored_elsewhere
from harness.plan.data import Data
from harness.plan.keys import algorithms, external_keys, keys
from harness.plan.matrix import PlannedEntry
from harness.store.record import SCHEMA

EXTERNAL = "external"
"""What stands for the loss of predictions that were made elsewhere."""


def make_spec(
    leaderboard: str, entry: PlannedEntry, protocol: Protocol, data: Data, seed: int, fold: int
) -> dict[str, Any]:
    """The spec of one run of an entry."""
    resolved = protocol.resolved(entry.dims)
    spec: dict[str, Any] = {
        "schema": SCHEMA,
        "algorithms": algorithms(resolved),
        "leaderboard": leaderboard,
        "label": entry.label,
        "model": {**entry.model.as_spec(), "dims": entry.dims},
        "loss": entry.loss.as_spec(),
        **_ground(data, seed, fold),
        "protocol": resolved,
    }
    spec["keys"] = keys(spec)
    spec["run_id"] = run_id(spec)
    return spec


def external_spec(leaderboard: str, name: str, protocol: Protocol, data: Data, fold: int) -> dict[str, Any]:
    """The spec of scoring predictions of one fold that another tool called `name` made.

    Of the protocol it has only what scoring needs; the seed is the protocol's first, for a place
    on the leaderboard.
    """
    about = {"version": 1, "params": {}}
    resolved = scored_elsewhere(protocol)
    spec: dict[str, Any] = {
        "schema": SCHEMA,
        "algorithms": algorithms(resolved),
        "leaderboard": leaderboard,
        "label": name,
        "model": {"name": name, "label": name, "dims": None, "external": True, **about},
        "loss": {"name": EXTERNAL, "label": EXTERNAL, **about},
        **_ground(data, protocol.seeds[0], fold),
        "protocol": resolved,
    }
    spec["keys"] = external_keys(spec)
    spec["run_id"] = run_id(spec)
    return spec


def _ground(data: Data, seed: int, fold: int) -> dict[str, Any]:
    """What a run is made and scored on."""
    parts = data.split.folds[fold]
    return {
        "dataset": data.spec(),
        "seed": seed,
        "fold": fold,
        "parts": {
            "train": list(parts.train),
            "validation": list(parts.validation),
            "test": list(parts.test),
        },
        "manifest_hash": data.manifest.hash,
        "split_hash": data.split.hash,
    }


def run_id(spec: Mapping[str, Any]) -> str:
    """A name that a person can read and that differs wherever the training differs."""
    words = [spec["model"]["label"], spec["loss"]["label"], spec["dataset"]["label"]]
    plain = [re.sub(r"[^A-Za-z0-9=.]+", "-", word).strip("-") for word in words]
    return "__".join([*plain, f"s{spec['seed']}-f{spec['fold']}", spec["keys"]["train"][:10]])
