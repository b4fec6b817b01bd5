"""What a reviewer asks about the runs: versions, hardware, plugins, splits; one line each."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from harness.board.board import Board, Field
from harness.store.record import Record
from harness.tables.clean import clean

_ENVIRONMENT = (
    "harness",
    "python",
    "torch",
    "cuda",
    "driver",
    "system",
    "device",
    "precision",
    "threads",
    "commit",
)


def facts(board: Board, field: Field) -> list[tuple[str, list[str]]]:
    """What, and the values that occur among the records of a dataset, sorted."""
    records = [record for result in board.of(field.dataset) for record in result.records]
    rows = [
        ("protocol", [board.protocol_hash]),
        ("split", [field.split_hash] if field.split_hash else []),
        ("patients", _distinct(_parts(record) for record in records)),
        ("data", _distinct(record.data.manifest_hash for record in records if record.data)),
        ("hardware", _distinct(name for result in board.of(field.dataset) for name in result.hardware)),
        ("GPU", _distinct(record.hardware.gpu for record in records if record.hardware)),
        ("CPU", _distinct(record.hardware.cpu for record in records if record.hardware)),
        *(
            (name, _distinct(getattr(record.environment, name, None) for record in records))
            for name in _ENVIRONMENT
        ),
        ("plugins", _distinct(text for record in records for text in _plugins(record))),
    ]
    return [(name, values) for name, values in rows if values]


def protocol_text(board: Board) -> str:
    """The whole protocol as JSON."""
    protocol = board.protocol.model_dump(mode="json", by_alias=True)
    return json.dumps(protocol, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _distinct(values: Iterable[Any]) -> list[str]:
    return sorted({clean(value) for value in values if value is not None and value != ""})


def _parts(record: Record) -> str:
    parts = record.data.patients if record.data is not None else {}
    return ", ".join(f"{parts[name]} {name}" for name in sorted(parts))


def _plugins(record: Record) -> Iterable[str]:
    for kind, plugin in sorted(record.plugins.items()):
        source = plugin.source[:8]
        told = f"{kind} {plugin.name}, version {plugin.version}, {plugin.distribution}"
        yield f"{told}, source {source}" if source else told
