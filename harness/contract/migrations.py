"""One chain of migrations: a file of any earlier layout is lifted to the present one, step by step.

Each ``update_to_N`` takes a JSON object of layout N - 1 and returns one of layout N. A step is never changed
after it was released, so it contains all it needs, such as the defaults of its time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.contract.layout import Misfit, shortened
from harness.errors import HarnessError

Step = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Chain:
    """The steps from layout 0, which has no number, to the present one: ``steps[n]`` leads to n + 1."""

    steps: Sequence[Step]

    @property
    def version(self) -> int:
        """The present layout."""
        return len(self.steps)

    def lift(self, value: Mapping[str, Any], file: str) -> dict[str, Any]:
        """`value` in the present layout. HarnessError for a newer one; `file` names the file."""
        schema = value.get("schema", 0)
        if type(schema) is not int or not 0 <= schema <= self.version:
            raise HarnessError(
                f"{file} has schema {shortened(schema)}, this version reads up to {self.version}",
                remedy="Use the version of Harness that wrote it, or run it again.",
            )
        lifted = dict(value)
        for number, step in enumerate(self.steps[schema:], schema + 1):
            lifted = {**step(lifted), "schema": number}
        return lifted


def update_spec_to_1(spec: dict[str, Any]) -> dict[str, Any]:
    """Number the layout. Earlier specs may lack fields that had only one possible value."""
    protocol = spec.get("protocol")
    if not isinstance(protocol, dict):
        raise Misfit("is missing" if protocol is None else "is not an object").inside("protocol")
    trained = "epochs" in protocol
    if trained:
        protocol = {**PROTOCOL_OF_0, **protocol}
    optimiser = protocol.get("optimiser", "adamw")
    algorithms = {"prepare": 1, "score": 1, "train": 3 if optimiser == "muon" else 2}
    run = {"algorithms": algorithms, "label": "", "leaderboard": "", "run_id": "", "keys": {}}
    return {**run, **spec, "protocol": protocol}


PROTOCOL_OF_0 = {
    "optimiser": "adamw",
    "patch": None,
    "rank_method": "aggregate-then-rank",
    "compile": False,
    "limit": None,
    "run_folds": None,
    "keep_predictions": False,
    "empty": {"one_empty_distance": "diagonal", "both_empty": "exclude"},
}
"""Fields of a protocol that layout 0 did not always have, with their only possible value."""


SPEC = Chain([update_spec_to_1])
"""The migrations of ``spec.json``."""


def lift_spec(spec: Mapping[str, Any], file: str) -> dict[str, Any]:
    """A spec in the present layout. The first files of layout 1 lack the same fields as those of layout 0."""
    protocol = spec.get("protocol")
    sparse = "algorithms" not in spec
    if isinstance(protocol, dict) and "epochs" in protocol:
        sparse = sparse or not PROTOCOL_OF_0.keys() <= protocol.keys()
    return SPEC.lift({**spec, "schema": 0} if sparse and spec.get("schema") == 1 else spec, file)


def update_record_to_1(record: dict[str, Any]) -> dict[str, Any]:
    """Number the layout. The energy of training was not measured before."""
    model = record.get("model")
    if isinstance(model, dict) and model:
        record = {**record, "model": {"training_energy_j": None, **model}}
    return record


RECORD = Chain([update_record_to_1])
"""The migrations of ``record.json``; the spec in it is lifted by its own chain."""


def lift_record(record: Mapping[str, Any], run_id: object) -> dict[str, Any]:
    """A record in the present layout, with its spec; the first files of layout 1 as in `lift_spec`."""
    model, spec = record.get("model"), record.get("spec")
    sparse = isinstance(model, dict) and model and "training_energy_j" not in model
    early = {**record, "schema": 0} if sparse and record.get("schema") == 1 else record
    lifted = RECORD.lift(early, f"record {run_id!r}")
    if isinstance(spec, dict):
        try:
            lifted["spec"] = lift_spec(spec, f"the spec of record {run_id!r}")
        except Misfit as error:
            raise error.inside("spec") from None
    return lifted


SCHEMA = SPEC.version
"""Version of the layout of specs and records. It is a single number, because a record has a spec."""
