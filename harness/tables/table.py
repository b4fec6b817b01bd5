"""The table model: what a view says, before anything knows how wide the page is."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

MISSING = "—"
"""Stands where there is no value."""

SPARE = 9
"""The priority of a column that is shown where there is room, and else not missed."""

Kind = Literal["ranked", "unranked", "published"]


@dataclass(frozen=True)
class Column:
    """A column and its header of up to two levels.

    Neighbours with the same `group` share the upper level; `title` is the lower one and says
    the unit. `label` is its name in a sentence. Priority 0 is always shown; on a narrow page
    the highest go first, and the caption sends the reader to `view`. `better` is the direction
    in which the best value is marked. A column `holds` numbers, to the right and never folded;
    or plugins' labels or plain words, to the left and folded where it must be. `factor` is how many of
    the base unit, which cells have their values in, the unit of the header is. An `interval` has
    limits instead of a value. `topic` is what captions call it by (see `Note`); a `close` column stands
    one space behind the one before.
    """

    title: str
    group: str = ""
    label: str = ""
    priority: int = 0
    view: str = ""
    better: Literal["higher", "lower"] | None = None
    holds: Literal["number", "name", "word"] = "number"
    factor: float = 1.0
    interval: bool = False
    topic: str = ""
    close: bool = False


@dataclass(frozen=True)
class TableCell:
    """A printed value, or both `limits` of an interval; `best` among the ranked rows of its column.

    `short` is what a terminal prints where `text` finds no room.
    """

    text: str
    value: float | None = None
    best: bool = False
    limits: tuple[float, float] | None = None
    short: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a table. `entry` lets a selection find it."""

    cells: tuple[TableCell, ...]
    kind: Kind = "ranked"
    entry: Hashable | None = None


@dataclass(frozen=True)
class Table:
    """A titled table. `sections` name the kinds of rows that get a rule above them.

    With `panels`, columns that don't fit are continued below instead of being dropped.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: tuple[str, ...] = ()
    sections: tuple[tuple[Kind, str], ...] = ()
    panels: bool = False


class Note(str):
    """A sentence of a caption about columns of some `topics`; it can be made anew for those that are left."""

    topics: Sequence[str]
    make: Callable[[Sequence[str]], str]

    def __new__(cls, make: Callable[[Sequence[str]], str], topics: Sequence[str]) -> Note:
        """The text is what `make` says about `topics`."""
        note = super().__new__(cls, make(topics))
        note.topics, note.make = tuple(topics), make
        return note

    def about(self, left: Container[str]) -> Note | None:
        """What is still to be said where only columns of the topics in `left` are shown."""
        topics = [topic for topic in self.topics if topic in left]
        return Note(self.make, topics) if topics else None


def note(text: str, *topics: str) -> Note:
    """A sentence that is the same about any of its topics."""
    return Note(lambda left: text, topics)


def number(value: float | None, show: Callable[[float], str]) -> TableCell:
    """The cell of a number that may be missing."""
    return TableCell(MISSING) if value is None else TableCell(show(value), value)


def mark_best(table: Table) -> Table:
    """Mark the best ranked value of each column, and every value that prints the same.

    Nothing is marked while fewer than two ranked rows have a value: there is no contest.
    """
    best = [_best(table.rows, index, column) for index, column in enumerate(table.columns)]
    rows = tuple(
        replace(
            row, cells=tuple(replace(cell, best=cell.text == best[i]) for i, cell in enumerate(row.cells))
        )
        if row.kind == "ranked"
        else row
        for row in table.rows
    )
    return replace(table, rows=rows)


def only(table: Table, keep: Callable[[Any], bool]) -> Table:
    """The rows of some entries; published ones stay. Marks remain those of the whole table."""
    rows = tuple(row for row in table.rows if row.entry is None or keep(row.entry))
    return replace(table, rows=rows)


def _best(rows: Sequence[Row], index: int, column: Column) -> str | None:
    if column.better is None:
        return None
    cells = [row.cells[index] for row in rows if row.kind == "ranked"]
    values = {cell.value: cell.text for cell in cells if cell.value is not None}
    if sum(cell.value is not None for cell in cells) < 2:
        return None
    return values[max(values) if column.better == "higher" else min(values)]
