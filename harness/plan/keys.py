"""Keys: what a run is, as hashes of everything that moves its result, before anything runs.

Not in a key: device, executor, paths, versions of libraries. They are provenance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config.protocol import PREPARE, SCORE, part, protocol_hash, training_part
from harness.store.atomic import digest

ALGORITHMS = {"prepare": 1, "score": 1}
"""Versions of the harness's own steps. Raise one when its code changes results."""
TRAINING = {"adamw": 2, "muon": 3}
"""The same of training, by optimiser: a mended Muon throws no run of AdamW away. Raise both for what they
share, and for AdamW itself, which moves in Muon's runs all but the layers' weights."""


def algorithms(protocol: Mapping[str, Any]) -> dict[str, int]:
    """Versions of the steps ``prepare``, ``train`` and ``score`` under a resolved protocol."""
    # Protocols of before there was a choice name no optimiser, nor does what was trained elsewhere.
    return {**ALGORITHMS, "train": TRAINING[protocol.get("optimiser", "adamw")]}


def inputs(spec: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What each key of a run is the hash of; each builds on the one before."""
    protocol = spec["protocol"]
    version = spec.get("algorithms") or algorithms(protocol)
    prepare = {
        "algorithm": version["prepare"],
        "manifest": spec["manifest_hash"],
        "structures": list(spec["dataset"]["structures"].items()),
        "protocol": part(protocol, PREPARE),
    }
    train = {
        "algorithm": version["train"],
        "prepare": digest(prepare),
        "split": spec["split_hash"],
        "fold": spec["fold"],
        "seed": spec["seed"],
        "model": _identity(spec["model"]),
        "loss": _identity(spec["loss"]),
        "protocol": training_part(protocol),
    }
    score = {"algorithm": version["score"], "train": digest(train), "protocol": part(protocol, SCORE)}
    return {"prepare": prepare, "train": train, "score": score}


def keys(spec: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a run, with those that tell which records may be compared."""
    return {
        **{name: digest(value) for name, value in inputs(spec).items()},
        "split": spec["split_hash"],
        "protocol": protocol_hash(spec["protocol"]),
    }


def trained_as_now(spec: Mapping[str, Any]) -> bool:
    """Whether this version would prepare and train a run as it was.

    True where its spec is silent, and for predictions made elsewhere.
    """
    if spec["model"].get("external"):
        return True
    now = algorithms(spec["protocol"])
    then = spec.get("algorithms", now)
    return all(then[step] == now[step] for step in ("prepare", "train"))


def scored_as_now(record_keys: Mapping[str, str], spec: Mapping[str, Any]) -> bool:
    """Whether this version's metrics would score the run of these keys in the same way.

    True where the keys don't tell.
    """
    if "train" not in record_keys or "score" not in record_keys:
        return True
    protocol = spec["protocol"]
    if not spec["model"].get("external"):
        if not {*SCORE} <= {*protocol}:
            return False
        protocol = part(protocol, SCORE)
    score = {"algorithm": ALGORITHMS["score"], "train": record_keys["train"], "protocol": protocol}
    return digest(score) == record_keys["score"]


def external_keys(spec: Mapping[str, Any]) -> dict[str, str]:
    """The keys of predictions made elsewhere: nothing is known of their training but its name."""
    train = {
        "external": spec["model"]["name"],
        "manifest": spec["manifest_hash"],
        "split": spec["split_hash"],
        "fold": spec["fold"],
    }
    score = {"algorithm": ALGORITHMS["score"], "train": digest(train), "protocol": spec["protocol"]}
    return {
        "train": digest(train),
        "score": digest(score),
        "split": spec["split_hash"],
        "protocol": protocol_hash(spec["protocol"]),
    }


def _identity(plugin: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plugin[name] for name in ("name", "version", "params")}
