"""Why a run is new: the fields in which it differs from the nearest run on disk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.contract.spec import RunSpec
from harness.errors import HarnessError, and_more
from harness.plan.keys import inputs
from harness.store.runs import RunFolder


def why_new(spec: RunSpec, existing: list[RunFolder]) -> str:
    """A reason in one line: never run, or the first field that differs from the nearest run on disk."""
    nearest = nearest_run(spec, existing)
    if nearest is None:
        return "never run"
    run, differences = nearest
    if not differences:
        return "planned before, not started"
    field, there, here = differences[0]
    return f"{field} was {there}, is {here}{and_more(len(differences) - 1)}; compared with {run.id}"


def nearest_run(
    spec: RunSpec, existing: list[RunFolder]
) -> tuple[RunFolder, list[tuple[str, Any, Any]]] | None:
    """The run of the same entry, seed and fold with the fewest differing fields, and these fields."""
    candidates = []
    for run in existing:
        # The id has the name, so the other folders need not be read.
        if name_of(run.id) != name_of(spec.run_id):
            continue
        try:
            differences = compare(run.spec(), spec)
        except HarnessError:
            continue
        candidates.append((len(differences), run.id, run, differences))
    if not candidates:
        return None
    *_, run, differences = min(candidates, key=lambda candidate: candidate[:2])
    return run, differences


def name_of(run_id: str) -> str:
    """The first part of a run's id: entry, seed and fold."""
    return run_id.rpartition("__")[0]


def by_name(runs: Iterable[RunFolder]) -> dict[str, list[RunFolder]]:
    """Runs by the first part of their ids, so that thousands need not be searched for each."""
    groups: dict[str, list[RunFolder]] = defaultdict(list)
    for run in runs:
        groups[name_of(run.id)].append(run)
    return groups


def compare(there: RunSpec, here: RunSpec) -> list[tuple[str, Any, Any]]:
    """The fields in the keys that differ: (dotted name, value there, value here)."""
    a, b = (dict(_flat(_shown_inputs(inputs(spec), spec))) for spec in (there, here))
    return [
        (name, a.get(name, "absent"), b.get(name, "absent"))
        for name in dict.fromkeys([*b, *a])
        if a.get(name, "absent") != b.get(name, "absent")
    ]


def _shown_inputs(parts: dict[str, dict[str, Any]], spec: RunSpec) -> dict[str, Any]:
    """The inputs of all keys as one mapping, without the hashes of inputs that it contains already."""
    shown: dict[str, Any] = {"protocol": {}}
    for part in parts.values():
        shown["protocol"].update(part["protocol"])
    shown["data"] = {"manifest": spec.manifest_hash[:12], "split": spec.split_hash[:12]}
    shown["algorithm"] = {name: part["algorithm"] for name, part in parts.items()}
    train = parts["train"]
    return {**shown, **{name: train[name] for name in ("model", "loss", "seed", "fold")}}


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            yield from _flat(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", inner
