"""Why a finished run can't stand on a leaderboard: one sentence a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.config.protocol import UNSCORED, Protocol, scored_elsewhere
from harness.store.record import Record

_NAMED = 3


def other_protocol(record: Record, protocol: Protocol) -> str:
    """Which fields of the run's protocol are not the leaderboard's."""
    model, own = record.spec["model"], record.spec.get("protocol") or {}
    wanted = scored_elsewhere(protocol) if model.get("external") else protocol.resolved(model["dims"])
    differ = [
        f"{name} {_said(own.get(name))}, not {_said(wanted.get(name))}"
        for name in sorted({*wanted, *own} - {*UNSCORED})
        if own.get(name) != wanted.get(name)
    ]
    if not differ:
        return "another protocol"
    more = f" and {len(differ) - _NAMED} more" if len(differ) > _NAMED else ""
    return f"another protocol: {'; '.join(differ[:_NAMED])}{more}"


def other_version(record: Record, wanted: Mapping[str, int]) -> str | None:
    """Which plugins, by kind, have another version now; None if none has."""
    differ = [
        f"{kind} {record.spec[kind]['name']} {record.spec[kind]['version']}, now {now}"
        for kind, now in wanted.items()
        if record.spec[kind]["version"] != now
    ]
    return f"another plugin version: {'; '.join(differ)}" if differ else None


def other_split(record: Record, chosen: Record) -> str:
    """Whether the patients are parted otherwise, or are other ones."""
    if record.spec["manifest_hash"] != chosen.spec["manifest_hash"]:
        return f"other data: {record.spec['manifest_hash'][:8]}, not {chosen.spec['manifest_hash'][:8]}"
    return f"another split: {record.keys['split'][:8]}, not {chosen.keys['split'][:8]}"


def metric_definition() -> str:
    """The metrics have changed since."""
    return "other metric definitions than this version's; harness rescore scores kept predictions anew"


def _said(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= 40 else text[:39] + "…"
