"""Reasons why finished runs can't be compared, on a leaderboard or side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.config.protocol import UNSCORED, PerDims, Protocol, wanted_of
from harness.contract.layout import as_json
from harness.contract.spec import Kind
from harness.errors import first_few
from harness.metrics.definitions import metric
from harness.store.record import Record

_NAMED = 3


def other_protocol(record: Record, protocol: Protocol) -> str:
    """The fields in which the run's protocol differs from the leaderboard's."""
    own = as_json(record.spec.scoring)
    wanted = as_json(wanted_of(protocol, record.spec.model))
    differ = [
        f"{name} {_shortened(own.get(name))}, not {_shortened(wanted.get(name))}"
        for name in sorted({*wanted, *own} - {*UNSCORED})
        if own.get(name) != wanted.get(name)
    ]
    if not differ:
        return "another protocol"
    return f"another protocol: {first_few(differ, _NAMED, '; ')}"


def other_version(record: Record, wanted: Mapping[Kind, int]) -> str | None:
    """The plugins, by kind, that now have another version; None if there are none."""
    differ = [
        f"{kind} {record.spec.plugin(kind).name} {record.spec.plugin(kind).version}, now {now}"
        for kind, now in wanted.items()
        if record.spec.plugin(kind).version != now
    ]
    return f"another plugin version: {'; '.join(differ)}" if differ else None


def other_split(record: Record, chosen: Record) -> str:
    """Whether the data or only the split of the patients differs."""
    if record.spec.manifest_hash != chosen.spec.manifest_hash:
        return f"other data: {record.spec.manifest_hash[:8]}, not {chosen.spec.manifest_hash[:8]}"
    return f"another split: {record.keys['split'][:8]}, not {chosen.keys['split'][:8]}"


def metric_definition() -> str:
    """The definitions of metrics have changed since the run was scored."""
    return "other metric definitions than this version's; harness rescore scores kept predictions anew"


def other_terms(a: Record, b: Record) -> list[str]:
    """The differences of two records in data, split and fields of the protocol, each as `A, not B`.

    Protocols of a 2D and a 3D model, or of a model and external predictions, necessarily differ: for
    these, only the fields are compared that both have and that don't depend on the dimensions.
    """
    differences = []
    if a.spec.manifest_hash != b.spec.manifest_hash:
        differences.append(f"data {_digest(a.spec.manifest_hash)}, not {_digest(b.spec.manifest_hash)}")
    if a.keys.get("split") != b.keys.get("split"):
        differences.append(f"split {_digest(a.keys.get('split'))}, not {_digest(b.keys.get('split'))}")
    own, other = as_json(a.spec.scoring), as_json(b.spec.scoring)
    kinds = [(r.spec.model.dims, r.spec.model.external) for r in (a, b)]
    names = {*own, *other} - {*UNSCORED}
    if kinds[0] != kinds[1]:
        names = (names & {*own} & {*other}) - {
            name for name, value in Protocol() if isinstance(value, PerDims)
        }
    differences += [
        f"{name} {_shortened(own.get(name))}, not {_shortened(other.get(name))}"
        for name in sorted(names)
        if own.get(name) != other.get(name)
    ]
    if not differences and kinds[0] == kinds[1] and a.keys.get("protocol") != b.keys.get("protocol"):
        differences.append(
            f"protocol {_digest(a.keys.get('protocol'))}, not {_digest(b.keys.get('protocol'))}"
        )
    return differences


def other_definition(a: Record, b: Record, names: Iterable[str]) -> str | None:
    """The first of the metrics that the two records define differently, and how; None if they agree."""
    versions = [r.spec.algorithms.score for r in (a, b)]
    rules = [as_json(r.spec.scoring.empty) for r in (a, b)]
    for name in names:
        if versions[0] != versions[1]:
            return f"{name} was scored by version {versions[0]} of the metrics and by version {versions[1]}"
        for rule in _rules(name):
            values = [by_name[rule] for by_name in rules]
            if values[0] != values[1]:
                return f"{name} was scored with {rule} {values[0]} and with {values[1]}"
    return None


def _rules(name: str) -> tuple[str, ...]:
    """The rules for missing structures that a metric follows."""
    penalty = metric(name).penalty
    if penalty is None:
        return ()
    return ("both_empty", "one_empty_distance") if penalty == "diagonal" else ("both_empty",)


def _digest(value: Any) -> str:
    return "absent" if value is None else str(value)[:8]


def _shortened(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"
