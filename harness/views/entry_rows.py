"""Rows of results and published results, which the views of a leaderboard share: names, values, states."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.board.board import Board, Field, Result
from harness.board.published import Published, PublishedRow
from harness.metrics.definitions import metric
from harness.tables.table import MISSING, SPARE, Column, Kind, Row, TableCell, number
from harness.tables.units import Scale, metric_scale

POSTER_ORDER = ("LV", "RV", "MYO")
"""The order of the poster's tables, for datasets with just these structures."""

SHORT = {"dice": "Dice", "hd": "HD", "hd95": "HD95", "assd": "ASSD"}
LONG = {
    "dice": "Dice",
    "hd": "Hausdorff distance (HD)",
    "hd95": "95 % Hausdorff distance (HD95)",
    "assd": "average symmetric surface distance (ASSD)",
}

Shown = Result | PublishedRow

RANK = "rank"
CERTAINTY = "certainty"
COST = "cost"
"""Topics of columns, beside the names of metrics."""

_RANGE = Column(
    "95 %", label="interval of the rank", holds="word", interval=True, topic=CERTAINTY, close=True
)
_GROUP = Column("gr", label="group", holds="word", topic=CERTAINTY, close=True)


@dataclass(frozen=True)
class FigureColumn:
    """A column of values: how to get and print a value; `cell` overrides both if it returns a cell."""

    column: Column
    value: Callable[[Shown], float | None]
    show: Callable[[float], str]
    cell: Callable[[Shown], TableCell | None] = lambda row: None


def interval(name: str, scale: Scale, column: Column) -> FigureColumn:
    """The 95 % confidence interval of the overall mean of a metric."""

    def cell(row: Shown) -> TableCell:
        limits = row.overall_ci95.get(name) if isinstance(row, Result) else None
        if limits is None:
            return TableCell(MISSING)
        low, high = map(scale.text, limits)
        return TableCell(f"{low}–{high}", limits=limits, short=f"{_bare(low)}–{_bare(high)}")

    made = replace(column, interval=True, topic=name, better=direction(name))
    return FigureColumn(made, lambda row: None, str, cell)


def _bare(text: str) -> str:
    """A ratio without its leading zero."""
    return text.removeprefix("0") if text.startswith("0.") else text


def structures(field: Field) -> tuple[str, ...]:
    """Structures in the order of display."""
    return POSTER_ORDER if set(field.structures) == set(POSTER_ORDER) else field.structures


def title_of(name: str) -> str:
    """A metric's header with its unit."""
    unit = metric(name).unit
    return f"{SHORT.get(name, name)} {unit}".strip() if unit != "1" else SHORT.get(name, name)


def direction(name: str) -> Literal["higher", "lower"] | None:
    """The better direction of a metric; None if it has none."""
    higher = metric(name).higher_is_better
    return None if higher is None else "higher" if higher else "lower"


def score(row: Shown, name: str, structure: str, phase: str) -> float | None:
    """The mean in one cell."""
    cell = row.scores.get(name, {}).get(structure, {}).get(phase)
    return cell if cell is None or isinstance(cell, float) else cell.mean


def over_phases(row: Shown, name: str, structure: str) -> float | None:
    """The mean of a structure over its phases, weighted equally; phases without a value are left out."""
    phases: Mapping[str, object] = row.scores.get(name, {}).get(structure, {})
    values = [v for phase in phases if (v := score(row, name, structure, phase)) is not None]
    return math.fsum(values) / len(values) if values else None


def lay_out(
    board: Board,
    field: Field,
    published: Sequence[Published],
    figures: Sequence[FigureColumn],
    *,
    grouped: bool = False,
) -> tuple[tuple[Column, ...], tuple[Row, ...], tuple[tuple[Kind, str], ...]]:
    """Columns, rows and sections of a table with the columns `figures`; each rank has its interval.

    With `grouped`, each row also has its group letters.
    """
    results = board.of(field.dataset)
    # If all entries are done, the state only distinguishes published rows, and is shown where there is room.
    done = all(result.state == "done" for result in results)
    state = () if done and not published else (Column("state", holds="word", priority=SPARE if done else 0),)
    certainty = (_RANGE, _GROUP)[: 1 + grouped] if any(r.rank_interval is not None for r in results) else ()
    columns = (
        Column("#", topic=RANK),
        *certainty,
        Column("model", holds="name"),
        Column("loss", holds="name"),
        *(figure.column for figure in figures),
        *state,
    )
    made = [_row(result, figures, len(certainty)) for result in results]
    made += [_published(row, figures, len(certainty)) for one in published for row in one.rows]
    rows = [replace(row, cells=row.cells[: len(columns)]) for row in made]
    sections: list[tuple[Kind, str]] = [("unranked", "not ranked")]
    if published:
        names = "; ".join(one.short for one in published)
        sections.append(("published", f"published by its authors, not ranked: {names}"))
    return columns, tuple(rows), tuple(sections)


def state_text(result: Result) -> str:
    """The state of an entry, and how many of its runs are done if it needs several."""
    done = sum(run.state == "done" for run in result.runs)
    several = len(result.runs) > 1 and done < len(result.runs)
    return f"{result.state} {done}/{len(result.runs)}" if several else result.state


def scale_of(field: Field, name: str) -> Scale:
    """Unit and decimals of a metric; no more decimals than the noise floor supports."""
    scale = metric_scale(name)
    floor = (field.noise_floor or {}).get(name)
    if floor is None or floor.decimals is None:
        return scale
    return replace(scale, decimals=min(scale.decimals, floor.decimals))


def _row(result: Result, figures: Iterable[FigureColumn], certainty_columns: int) -> Row:
    rank = TableCell(MISSING) if result.rank is None else TableCell(str(result.rank), result.rank)
    kind: Kind = "unranked" if result.rank is None else "ranked"
    certainty = (_range(result), TableCell(result.group or MISSING))[:certainty_columns]
    cells = (rank, *certainty, *_names(result), *_figures(result, figures), TableCell(state_text(result)))
    return Row(cells, kind, result.entry)


def _range(result: Result) -> TableCell:
    if result.rank_interval is None:
        return TableCell(MISSING)
    low, high = result.rank_interval
    return TableCell(str(low) if low == high else f"{low}–{high}", limits=(low, high))


def _published(row: PublishedRow, figures: Iterable[FigureColumn], certainty_columns: int) -> Row:
    cells = (
        TableCell(MISSING),
        *(TableCell(MISSING),) * certainty_columns,
        *_names(row),
        *_figures(row, figures),
        TableCell("published"),
    )
    return Row(cells, "published")


def _names(row: Shown) -> tuple[TableCell, TableCell]:
    return TableCell(row.entry.model), TableCell(row.entry.loss)


def _figures(row: Shown, figures: Iterable[FigureColumn]) -> Iterable[TableCell]:
    for figure in figures:
        cell = figure.cell(row)
        yield number(figure.value(row), figure.show) if cell is None else cell
