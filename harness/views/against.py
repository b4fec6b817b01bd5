"""A leaderboard beside published results, cell by cell, compared with the digits that were printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

from harness.board.board import Board, Entry, Field, Result
from harness.board.published import Published, PublishedRow
from harness.errors import ConfigError
from harness.metrics.definitions import metric
from harness.tables.table import Column, Table, TableCell
from harness.views import captions, notes
from harness.views.entry_rows import LONG, FigureColumn, Shown, lay_out, score, structures

MISSED = "!"
"""Follows a cell that does not reach the published value."""


def against(board: Board, field: Field, theirs: Published) -> list[Table]:
    """A table for each metric that both have; ConfigError if no entry has a counterpart.

    A counterpart has the same model and loss; if none has, variants of these are taken.
    """
    pairs = counterparts(board, field, theirs)
    if not pairs:
        labels = sorted({f"{row.entry.model} + {row.entry.loss}" for row in theirs.rows})
        raise ConfigError(
            f"no entry on {field.dataset} has a model and loss of {theirs.name}",
            where=f"leaderboard {board.name}",
            remedy=f"{theirs.name} has {', '.join(labels)}.",
        )
    names = [name for name in board.protocol.metrics if any(name in r.scores for r in theirs.rows)]
    return [_table(board, field, theirs, pairs, name) for name in names]


def counterparts(board: Board, field: Field, theirs: Published) -> dict[Entry, PublishedRow]:
    """The published row of each entry that has one."""
    rows = {row.entry: row for row in theirs.rows}
    results = board.of(field.dataset)
    row_of = {result.entry: _counterpart(result.entry, rows, results) for result in results}
    return {entry: row for entry, row in row_of.items() if row is not None}


def _counterpart(
    entry: Entry, rows: Mapping[Entry, PublishedRow], results: Sequence[Result]
) -> PublishedRow | None:
    """The published row with the labels of an entry, or with its plugins and other parameters."""
    labels = {(result.entry.model, result.entry.loss) for result in results}
    for theirs, row in rows.items():
        wanted = (theirs.model, theirs.loss)
        plain = (entry.model.partition("[")[0], entry.loss.partition("[")[0])
        if wanted == (entry.model, entry.loss) or (wanted == plain and wanted not in labels):
            return row
    return None


def _table(
    board: Board, field: Field, theirs: Published, pairs: Mapping[Entry, PublishedRow], name: str
) -> Table:
    cells = [
        (structure, phase)
        for structure in structures(field)
        for phase in field.phases
        if any((name, structure, phase) in row.printed for row in theirs.rows)
    ]
    figures = [
        FigureColumn(
            Column(phase, structure, priority=1), lambda row: None, str, _compared(pairs, name, cell)
        )
        for cell in cells
        for structure, phase in (cell,)
    ]
    figures.append(FigureColumn(Column("reached"), lambda row: None, str, _count(pairs, name, cells)))
    columns, rows, sections = lay_out(board, field, (), figures)
    rows = tuple(row for row in rows if row.entry in pairs)
    verdicts = [
        verdict
        for result in board.of(field.dataset)
        if result.entry in pairs
        for verdict in _verdicts(result, pairs[result.entry], name, cells)
    ]
    unit = metric(name).unit
    heading = LONG.get(name, name).partition(" (")[0] + ("" if unit in ("", "1") else f" in {unit}")
    caption = (
        f"Ours, then theirs: {theirs.short}. {sum(verdicts)} of {len(verdicts)} cells reached, compared with "
        f"as many digits as were printed; {MISSED} marks those that are not.",
        *notes.ranks(field, board.of(field.dataset)),
        captions.ground(board, field),
        *captions.notes(field),
        *captions.cited([theirs]),
    )
    title = f"{heading} beside {theirs.name}, leaderboard {board.name} on {field.dataset}"
    return Table(title, columns, rows, caption, sections, panels=True)


def reached(ours: float, printed: str, name: str) -> bool:
    """Whether `ours`, rounded to the digits of `printed`, equals it or is better."""
    value, theirs = rounded(ours, printed), Decimal(printed)
    return value >= theirs if metric(name).higher_is_better else value <= theirs


def rounded(value: float, printed: str) -> Decimal:
    """`value` with as many decimals as `printed` has, halves away from zero as on paper."""
    return Decimal(repr(value)).quantize(Decimal(printed), rounding=ROUND_HALF_UP)


def _compared(
    pairs: Mapping[Entry, PublishedRow], name: str, cell: tuple[str, str]
) -> Callable[[Shown], TableCell | None]:
    def compared(row: Shown) -> TableCell | None:
        theirs = pairs.get(row.entry)
        ours = score(row, name, *cell)
        printed = theirs.printed.get((name, *cell)) if theirs is not None else None
        if ours is None or printed is None or isinstance(row, PublishedRow):
            return None
        value = rounded(ours, printed)
        mark = " " if reached(ours, printed, name) else MISSED
        sign = "=" if value == Decimal(printed) else ">" if value > Decimal(printed) else "<"
        return TableCell(f"{value}{sign}{printed}{mark}")

    return compared


def _verdicts(row: Shown, theirs: PublishedRow, name: str, cells: Sequence[tuple[str, str]]) -> list[bool]:
    verdicts = []
    for cell in cells:
        ours, printed = score(row, name, *cell), theirs.printed.get((name, *cell))
        if printed is not None:
            verdicts.append(ours is not None and reached(ours, printed, name))
    return verdicts


def _count(
    pairs: Mapping[Entry, PublishedRow], name: str, cells: Sequence[tuple[str, str]]
) -> Callable[[Shown], TableCell | None]:
    def count(row: Shown) -> TableCell | None:
        if row.entry not in pairs:
            return None
        verdicts = _verdicts(row, pairs[row.entry], name, cells)
        return TableCell(f"{sum(verdicts)}/{len(verdicts)}")

    return count
