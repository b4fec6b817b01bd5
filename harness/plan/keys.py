"""Keys: what a run is, as hashes of everything that moves its result, before anything runs.

Not in a key: device, executor, paths, versions of libraries. They are provenance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config.protocol import PREPARE, SCORE, part, protocol_hash, training_part
from harness.contract.layout import as_json
from harness.contract.protocol import RunProtocol, ScoringProtocol
from harness.contract.spec import Algorithms, PluginSpec, RunSpec
from harness.store.atomic import digest

ALGORITHMS = {"prepare": 1, "score": 1}
"""Versions of the harness's own steps. Raise one when its code changes results."""
TRAINING = {"adamw": 2, "muon": 3}
"""The same of training, by optimiser: a mended Muon throws no run of AdamW away. Raise both for what they
share, and for AdamW itself, which moves in Muon's runs all but the layers' weights."""


def algorithms(protocol: ScoringProtocol) -> Algorithms:
    """Versions of the steps ``prepare``, ``train`` and ``score`` under a run's protocol."""
    # External predictions have no optimiser that we know of; adamw stands for it.
    optimiser = protocol.optimiser if isinstance(protocol, RunProtocol) else "adamw"
    return Algorithms(**ALGORITHMS, train=TRAINING[optimiser])


def inputs(spec: RunSpec) -> dict[str, dict[str, Any]]:
    """What each key of a run is the hash of; each builds on the one before."""
    protocol, version = as_json(spec.protocol), spec.algorithms
    prepare = {
        "algorithm": version.prepare,
        "manifest": spec.manifest_hash,
        "structures": list(spec.dataset.structures.items()),
        "protocol": part(protocol, PREPARE),
    }
    train = {
        "algorithm": version.train,
        "prepare": digest(prepare),
        "split": spec.split_hash,
        "fold": spec.fold,
        "seed": spec.seed,
        "model": _identity(spec.model),
        "loss": _identity(spec.loss),
        "protocol": training_part(protocol),
    }
    score = {"algorithm": version.score, "train": digest(train), "protocol": part(protocol, SCORE)}
    return {"prepare": prepare, "train": train, "score": score}


def keys(spec: RunSpec) -> dict[str, str]:
    """The keys of a run, with those that tell which records may be compared."""
    return {
        **{name: digest(value) for name, value in inputs(spec).items()},
        "split": spec.split_hash,
        "protocol": protocol_hash(as_json(spec.protocol)),
    }


def trained_as_now(spec: RunSpec) -> bool:
    """Whether this version would prepare and train a run as it was; True for external predictions."""
    now, then = algorithms(spec.scoring), spec.algorithms
    return spec.model.external or (then.prepare, then.train) == (now.prepare, now.train)


def scored_as_now(record_keys: Mapping[str, str], spec: RunSpec) -> bool:
    """Whether this version's metrics would score the run of these keys in the same way.

    True where the keys don't tell.
    """
    if "train" not in record_keys or "score" not in record_keys:
        return True
    protocol = as_json(spec.scoring)
    if not spec.model.external:
        protocol = part(protocol, SCORE)
    score = {"algorithm": ALGORITHMS["score"], "train": record_keys["train"], "protocol": protocol}
    return digest(score) == record_keys["score"]


def external_keys(spec: RunSpec) -> dict[str, str]:
    """The keys of external predictions: nothing is known of their training but its name."""
    train = {
        "external": spec.model.name,
        "manifest": spec.manifest_hash,
        "split": spec.split_hash,
        "fold": spec.fold,
    }
    protocol = as_json(spec.scoring)
    score = {"algorithm": ALGORITHMS["score"], "train": digest(train), "protocol": protocol}
    return {
        "train": digest(train),
        "score": digest(score),
        "split": spec.split_hash,
        "protocol": protocol_hash(protocol),
    }


def _identity(plugin: PluginSpec) -> dict[str, Any]:
    return {"name": plugin.name, "version": plugin.version, "params": plugin.params}
