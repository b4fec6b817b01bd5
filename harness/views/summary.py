"""The ranked summary: accuracy by structure, and costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.board.board import Board, Field, Result
from harness.board.published import Published, PublishedRow
from harness.tables.table import Column, Table
from harness.tables.units import Scale
from harness.views import captions, notes
from harness.views.cost import cost_figure
from harness.views.entry_rows import (
    COST,
    RANK,
    SHORT,
    FigureColumn,
    Shown,
    direction,
    interval,
    lay_out,
    over_phases,
    scale_of,
    structures,
    title_of,
)

VIEW_OF = {"dice": "dice", "hd": "hausdorff"}
"""The view that shows a metric by structure and phase."""


def summary(board: Board, field: Field, published: Sequence[Published] = ()) -> Table:
    """Rank, entry, accuracy (means over phases), time, memory, state."""
    results = board.of(field.dataset)
    metrics = summary_metrics(board)
    figures = [
        figure for place, name in enumerate(metrics) for figure in _accuracy(field, name, place, results)
    ]
    if len(board.protocol.rank_by) > 1:
        figures.append(_mean_rank())
    figures += _costs([*results, *(row for one in published for row in one.rows)])
    columns, rows, sections = lay_out(board, field, published, figures, grouped=True)
    caption = [
        notes.legend(metrics, COST),
        *notes.certainty(board, field, metrics),
        captions.ground(board, field),
        *captions.notes(field),
        *notes.hardware(results),
        *notes.counts(results, metrics),
        *captions.reasons(results),
        *captions.cited(published),
    ]
    title = f"Leaderboard {board.name} on {field.dataset}, {captions.ranked_by(board)}"
    return Table(title, columns, rows, tuple(caption), sections)


def summary_metrics(board: Board) -> list[str]:
    """The ranking metrics, then Dice and Hausdorff distance if they are scored."""
    wanted = [*board.protocol.rank_by, *(m for m in ("dice", "hd") if m in board.protocol.metrics)]
    return list(dict.fromkeys(wanted))


def _accuracy(field: Field, name: str, place: int, results: Sequence[Result]) -> list[FigureColumn]:
    scale = scale_of(field, name)
    view = VIEW_OF.get(name, "")
    by_structure = [
        _figure(name, structure, scale, 2 if place == 0 else 5 + place, view, _of(name, structure))
        for structure in structures(field)
    ]
    mean = _figure(
        name, "mean", scale, 0 if place == 0 else 2 + place, view, lambda row: row.overall.get(name)
    )
    known = place == 0 and any(result.overall_ci95.get(name) for result in results)
    return [*by_structure, mean, *([_interval(name, scale)] if known else [])]


def _interval(name: str, scale: Scale) -> FigureColumn:
    """The interval of the mean, which has priority over the structures."""
    label = f"interval of mean {SHORT.get(name, name)}"
    return interval(name, scale, Column("95 %", title_of(name), label=label, priority=1))


def _of(name: str, structure: str) -> Callable[[Shown], float | None]:
    return lambda row: over_phases(row, name, structure)


def _figure(
    name: str, title: str, scale: Scale, priority: int, view: str, value: Callable[[Shown], float | None]
) -> FigureColumn:
    column = Column(
        title,
        title_of(name),
        label=f"{SHORT.get(name, name)} {title}",
        priority=priority,
        view=view,
        better=direction(name),
        topic=name,
    )
    return FigureColumn(column, value, scale.text)


def _costs(rows: Sequence[Shown]) -> list[FigureColumn]:
    """Training time, prediction time, memory (of the GPU where there was one), size of the network."""
    gpu = any(r.cost.gpu_train_mib is not None for r in rows if not isinstance(r, PublishedRow))
    wanted = (
        ("train_s", "train", "training time", 4),
        ("predict_s_median", "predict", "prediction time", 5),
        ("gpu_train_mib" if gpu else "host_mib", "GPU" if gpu else "memory", "memory", 6),
        ("parameters", "params", "parameters", 7),
    )
    return [cost_figure(rows, *one, view="cost") for one in wanted]


def _mean_rank() -> FigureColumn:
    def value(row: Shown) -> float | None:
        return None if isinstance(row, PublishedRow) else row.mean_rank

    return FigureColumn(
        Column("mean", "rank", label="mean rank", priority=3, better="lower", topic=RANK),
        value,
        "{:.2f}".format,
    )
