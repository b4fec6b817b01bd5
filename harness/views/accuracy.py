"""One metric by structure and phase, in the layout of the poster's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.board.board import NO_PHASE, Board, Field
from harness.board.published import Published, PublishedRow
from harness.errors import ConfigError, nearest
from harness.tables.table import Column, Table, TableCell
from harness.views import captions, notes
from harness.views.entry_rows import (
    LONG,
    FigureColumn,
    Shown,
    direction,
    interval,
    lay_out,
    scale_of,
    score,
    structures,
)


def accuracy(board: Board, field: Field, published: Sequence[Published], name: str) -> Table:
    """Means of metric `name` by structure and phase, and over all; ConfigError if it was not scored."""
    metrics = board.protocol.metrics
    if name not in metrics:
        raise ConfigError(
            f"'{name}' is not one of its metrics",
            where=f"leaderboard {board.name}",
            remedy=nearest(name, metrics),
        )
    results = board.of(field.dataset)
    scale = scale_of(field, name)
    better = direction(name)
    figures = [
        FigureColumn(
            Column(phase, structure, priority=1, better=better, topic=name)
            if phase != NO_PHASE
            else Column(structure, priority=1, better=better, topic=name),
            _value(name, structure, phase),
            scale.text,
            _printed(name, structure, phase),
        )
        for structure in structures(field)
        for phase in field.phases
    ]
    mean = Column("mean", priority=2, view="summary", better=better, topic=name)
    figures.append(FigureColumn(mean, lambda row: row.overall.get(name), scale.text))
    if any(result.overall_ci95.get(name) for result in results):
        # The summary has the interval of the ranking metric.
        view = "summary" if name == board.protocol.rank_by[0] else ""
        column = Column("mean 95 %", label="interval of the mean", priority=2, view=view)
        figures.append(interval(name, scale, column))
    columns, rows, sections = lay_out(board, field, published, figures)
    unit = f" in {scale.unit}" if scale.unit else ""
    caption = [
        notes.legend([name]),
        *notes.ranks(field, results, name),
        captions.ground(board, field),
        *captions.notes(field),
        *notes.counts(results, [name]),
        *captions.reasons(results),
        *captions.cited(published),
    ]
    heading = LONG.get(name, name).partition(" (")[0]
    title = f"{heading}{unit}, leaderboard {board.name} on {field.dataset}, {captions.ranked_by(board)}"
    return Table(title, columns, rows, tuple(caption), sections, panels=True)


def _value(name: str, structure: str, phase: str) -> Callable[[Shown], float | None]:
    return lambda row: score(row, name, structure, phase)


def _printed(name: str, structure: str, phase: str) -> Callable[[Shown], TableCell | None]:
    """Published values keep the digits that were printed."""

    def cell(row: Shown) -> TableCell | None:
        text = row.printed.get((name, structure, phase)) if isinstance(row, PublishedRow) else None
        return None if text is None else TableCell(text, score(row, name, structure, phase))

    return cell
