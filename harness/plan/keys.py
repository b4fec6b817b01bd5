"""Keys: hashes of everything that affects the result of a run, computed before anything runs.

Device, executor, paths and versions of libraries are in no key. They are provenance.
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
"""The same for training, by optimiser, so that a change of Muon invalidates no run of AdamW. Raise both for
shared code, and for AdamW itself, which in Muon's runs updates all but the layers' weights."""


def algorithms(protocol: ScoringProtocol) -> Algorithms:
    """Versions of the steps ``prepare``, ``train`` and ``score`` under a run's protocol."""
    # The optimiser of external predictions is unknown; adamw stands for it.
    optimiser = protocol.optimiser if isinstance(protocol, RunProtocol) else "adamw"
    return Algorithms(**ALGORITHMS, train=TRAINING[optimiser])


def inputs(spec: RunSpec) -> dict[str, dict[str, Any]]:
    """The inputs that each key of a run is the hash of; each includes the key before it."""
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
    """The keys of a run, with the two that comparable records have in common."""
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

    True if there are no such keys.
    """
    if "train" not in record_keys or "score" not in record_keys:
        return True
    protocol = as_json(spec.scoring)
    if not spec.model.external:
        protocol = part(protocol, SCORE)
    score = {"algorithm": ALGORITHMS["score"], "train": record_keys["train"], "protocol": protocol}
    return digest(score) == record_keys["score"]


def external_keys(spec: RunSpec) -> dict[str, str]:
    """The keys of external predictions: only the name of their training is known."""
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
