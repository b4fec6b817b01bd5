"""Why finished runs can't stand on one leaderboard, or side by side: one sentence a reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.config.protocol import UNSCORED, PerDims, Protocol, wanted_of
from harness.contract.layout import as_json
from harness.contract.spec import Kind
from harness.metrics.definitions import metric
from harness.store.record import Record

_NAMED = 3


def other_protocol(record: Record, protocol: Protocol) -> str:
    """Which fields of the run's protocol are not the leaderboard's."""
    own = as_json(record.spec.scoring)
    wanted = as_json(wanted_of(protocol, record.spec.model))
    differ = [
        f"{name} {_said(own.get(name))}, not {_said(wanted.get(name))}"
        for name in sorted({*wanted, *own} - {*UNSCORED})
        if own.get(name) != wanted.get(name)
    ]
    if not differ:
        return "another protocol"
    more = f" and {len(differ) - _NAMED} more" if len(differ) > _NAMED else ""
    return f"another protocol: {'; '.join(differ[:_NAMED])}{more}"


def other_version(record: Record, wanted: Mapping[Kind, int]) -> str | None:
    """Which plugins, by kind, have another version now; None if none has."""
    differ = [
        f"{kind} {record.spec.plugin(kind).name} {record.spec.plugin(kind).version}, now {now}"
        for kind, now in wanted.items()
        if record.spec.plugin(kind).version != now
    ]
    return f"another plugin version: {'; '.join(differ)}" if differ else None


def other_split(record: Record, chosen: Record) -> str:
    """Whether the patients are parted otherwise, or are other ones."""
    if record.spec.manifest_hash != chosen.spec.manifest_hash:
        return f"other data: {record.spec.manifest_hash[:8]}, not {chosen.spec.manifest_hash[:8]}"
    return f"another split: {record.keys['split'][:8]}, not {chosen.keys['split'][:8]}"


def metric_definition() -> str:
    """The metrics have changed since."""
    return "other metric definitions than this version's; harness rescore scores kept predictions anew"


def other_terms(a: Record, b: Record) -> list[str]:
    """Which data, split and fields of the protocol two records don't share, each as `A, not B`.

    Protocols of models of other dimensions, or of predictions made elsewhere, differ by nature: only
    fields that both have, and that are one for all dimensions, are held against them.
    """
    found = []
    if a.spec.manifest_hash != b.spec.manifest_hash:
        found.append(f"data {_short(a.spec.manifest_hash)}, not {_short(b.spec.manifest_hash)}")
    if a.keys.get("split") != b.keys.get("split"):
        found.append(f"split {_short(a.keys.get('split'))}, not {_short(b.keys.get('split'))}")
    own, other = as_json(a.spec.scoring), as_json(b.spec.scoring)
    kinds = [(r.spec.model.dims, r.spec.model.external) for r in (a, b)]
    names = {*own, *other} - {*UNSCORED}
    if kinds[0] != kinds[1]:
        names = (names & {*own} & {*other}) - {
            name for name, value in Protocol() if isinstance(value, PerDims)
        }
    found += [
        f"{name} {_said(own.get(name))}, not {_said(other.get(name))}"
        for name in sorted(names)
        if own.get(name) != other.get(name)
    ]
    if not found and kinds[0] == kinds[1] and a.keys.get("protocol") != b.keys.get("protocol"):
        found.append(f"protocol {_short(a.keys.get('protocol'))}, not {_short(b.keys.get('protocol'))}")
    return found


def other_definition(a: Record, b: Record, names: Iterable[str]) -> str | None:
    """Which of the metrics the two records define otherwise, and how; None where they agree."""
    versions = [r.spec.algorithms.score for r in (a, b)]
    rules = [as_json(r.spec.scoring.empty) for r in (a, b)]
    for name in names:
        if versions[0] != versions[1]:
            return f"{name} was scored by version {versions[0]} of the metrics and by version {versions[1]}"
        for rule in _rules(name):
            said = [one[rule] for one in rules]
            if said[0] != said[1]:
                return f"{name} was scored with {rule} {said[0]} and with {said[1]}"
    return None


def _rules(name: str) -> tuple[str, ...]:
    """The rules for missing structures that a metric follows."""
    penalty = metric(name).penalty
    if penalty is None:
        return ()
    return ("both_empty", "one_empty_distance") if penalty == "diagonal" else ("both_empty",)


def _short(value: Any) -> str:
    return "absent" if value is None else str(value)[:8]


def _said(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"
