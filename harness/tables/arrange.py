"""Selecting the columns of a table and sorting its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.errors import ConfigError, nearest
from harness.tables.table import Column, Note, Row, Table


def arrange(table: Table, *, sort: str | None = None, columns: Sequence[str] = ()) -> Table:
    """`table` sorted by a column, with only some `columns`; ConfigError for an unknown one.

    A column is named by its heading (``Dice LV``, ``train``), by its label, or by any unique part of
    these. Columns appear in the order of `columns`, after the names of the entries if `columns` has
    none of these. Sorting puts the best first, or the smallest if neither direction is better;
    rows without a value come last, and unranked rows stay below. Captions that explain only hidden
    columns are omitted.
    """
    if sort is not None:
        table = _sorted(table, _index(table, sort, "--sort"))
    if columns:
        names = [i for i, column in enumerate(table.columns) if column.holds == "name"]
        chosen = [_index(table, name, "--columns") for name in columns]
        wanted = list(dict.fromkeys(chosen if {*names} & {*chosen} else [*names, *chosen]))
        table = limit(table, wanted)
        table = replace(table, columns=tuple(replace(column, priority=0) for column in table.columns))
    return table


def limit(table: Table, wanted: Sequence[int]) -> Table:
    """`table` with the columns `wanted` (indices), and the captions about these or about no column."""
    columns = tuple(table.columns[i] for i in wanted)
    rows = tuple(replace(row, cells=tuple(row.cells[i] for i in wanted)) for row in table.rows)
    topics = {column.topic for column in columns}
    lines = (line.about(topics) if isinstance(line, Note) else line for line in table.caption)
    return replace(table, columns=columns, rows=rows, caption=tuple(line for line in lines if line))


def _sorted(table: Table, index: int) -> Table:
    column = table.columns[index]
    sign = -1 if column.better == "higher" else 1

    def key(row: Row) -> tuple[bool, list[float], str]:
        cell = row.cells[index]
        numbers = cell.limits or (() if cell.value is None else (cell.value,))
        return not numbers, [sign * number for number in numbers], "" if numbers else cell.text

    ranked = sorted((row for row in table.rows if row.kind == "ranked"), key=key)
    order = f"Sorted by {heading(column)}."
    others = (row for row in table.rows if row.kind != "ranked")
    return replace(table, rows=(*ranked, *others), caption=(order, *table.caption))


def heading(column: Column) -> str:
    """Both levels of a column's header."""
    return f"{column.group} {column.title}".strip()


def _index(table: Table, name: str, where: str) -> int:
    wanted = _plain(name)
    names = [[_plain(heading(c)), _plain(c.label), _plain(c.title)] for c in table.columns]
    # Full names come before parts, because one heading may be a part of another.
    matches = [[i for i, known in enumerate(names) if wanted == known[kind]] for kind in range(3)]
    matches.append([i for i, known in enumerate(names) if any(wanted in text for text in known)])
    indices = next((match for match in matches if match), [])
    if len(indices) == 1:
        return indices[0]
    headings = [heading(column) for column in table.columns if heading(column)]
    if indices:
        several = ", ".join(heading(table.columns[i]) for i in indices)
        raise ConfigError(f"'{name}' is ambiguous: {several}", where=where, remedy="Give the full heading.")
    raise ConfigError(f"no column '{name}' in this view", where=where, remedy=nearest(name, headings))


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
