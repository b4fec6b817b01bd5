"""The registered plugins, and those that can't be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from harness.tables.table import MISSING, Column, Row, Table, TableCell, Tone

TONES: Mapping[str, Tone] = {
    "ok": "good",
    "broken": "bad",
    "duplicate": "warning",
    "not available": "warning",
}


def plugin_table(plugins: Iterable[Mapping[str, Any]]) -> Table:
    """A row for each plugin of the listing that ``plugins --json`` prints.

    A plugin with several errors has one row; its errors are shown below the table.
    """
    lines = dict.fromkeys(
        (
            plugin["name"],
            plugin["kind"],
            plugin["summary"],
            plugin["version"],
            f"{plugin['distribution']} {plugin['distribution_version'] or ''}".strip(),
            plugin["state"],
        )
        for plugin in plugins
    )
    columns = (
        Column("name", holds="name"),
        Column("kind", holds="word"),
        Column("summary", holds="text"),
        Column("version"),
        # On a narrow page, a readable summary matters more than the distribution.
        Column("distribution", holds="word", priority=2),
        Column("state", holds="word"),
    )
    rows = tuple(
        Row(
            (
                *(TableCell(MISSING if value is None else str(value)) for value in values),
                TableCell(state, tone=TONES[state]),
            )
        )
        for *values, state in lines
    )
    return Table("Plugins", columns, rows)
