"""The table model: the content of a view, independent of format and width."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

MISSING = "—"
"""The text of a missing value."""

SPARE = 9
"""The priority of a column that is shown if it fits, and otherwise not reported as hidden."""

Kind = Literal["ranked", "unranked", "published"]

Tone = Literal["", "good", "info", "warning", "bad", "faint", "strong"]
"""How a terminal colours a cell; the text of the cell says the same without colour."""


@dataclass(frozen=True)
class Column:
    """A column and its header of up to two levels.

    Neighbours with the same `group` share the upper level; `title` is the lower one, with
    the unit. `label` is its name in a sentence. Priority 0 is always shown; on a narrow page
    the highest numbers are hidden first, and the caption refers to `view`. `better` is the direction
    in which the best value is marked. A column `holds` numbers, which are aligned right and never
    folded; or labels of plugins, words or text, which are aligned left and folded where they don't fit,
    text first. `factor` converts the unit of the header to the base unit of its cells'
    values. An `interval` has limits instead of a value. `topic` is its name in captions (see `Note`); a
    `close` column follows the one before after a single space.
    """

    title: str
    group: str = ""
    label: str = ""
    priority: int = 0
    view: str = ""
    better: Literal["higher", "lower"] | None = None
    holds: Literal["number", "name", "word", "text"] = "number"
    factor: float = 1.0
    interval: bool = False
    topic: str = ""
    close: bool = False


@dataclass(frozen=True)
class TableCell:
    """A printed value, or both `limits` of an interval; `best` marks the best ranked value of a column.

    A terminal prints `short` where `text` doesn't fit, and colours the cell by its `tone`.
    """

    text: str
    value: float | None = None
    best: bool = False
    limits: tuple[float, float] | None = None
    short: str = ""
    tone: Tone = ""


@dataclass(frozen=True)
class Row:
    """A row of a table; a selection finds it by `entry`."""

    cells: tuple[TableCell, ...]
    kind: Kind = "ranked"
    entry: Hashable | None = None


@dataclass(frozen=True)
class Table:
    """A titled table. `sections` name the kinds of rows that get a rule above them.

    With `panels`, columns that don't fit are continued below instead of hidden.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    caption: tuple[str, ...] = ()
    sections: tuple[tuple[Kind, str], ...] = ()
    panels: bool = False


class Note(str):
    """A sentence of a caption about columns of some `topics`; it is adapted to the topics that are shown."""

    topics: Sequence[str]
    make: Callable[[Sequence[str]], str]

    def __new__(cls, make: Callable[[Sequence[str]], str], topics: Sequence[str]) -> Note:
        """The text is ``make(topics)``."""
        note = super().__new__(cls, make(topics))
        note.topics, note.make = tuple(topics), make
        return note

    def about(self, left: Container[str]) -> Note | None:
        """The sentence for the topics in `left`, which are shown; None if it is about none of them."""
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

    Nothing is marked if fewer than two ranked rows have a value.
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
