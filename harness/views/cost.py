"""Training and prediction costs, in the order of the poster's table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from harness.board.board import Board, Field, Result
from harness.board.cost import moved_by_others
from harness.board.published import Published, PublishedRow
from harness.tables.table import Column, Table, TableCell
from harness.tables.units import Scale, count_scale, memory_scale, time_scale
from harness.views import captions, notes
from harness.views.entry_rows import COST, FigureColumn, Shown, lay_out

_SCALES: Mapping[str, Callable[[Iterable[float | None]], Scale]] = {
    "train_s": time_scale,
    "predict_s_median": time_scale,
    "predict_s_p95": time_scale,
    "gpu_train_mib": memory_scale,
    "gpu_predict_mib": memory_scale,
    "host_mib": memory_scale,
    "parameters": count_scale,
    "flops": lambda values: count_scale(values, "FLOP"),
}

_MEMORY = ("gpu_train_mib", "gpu_predict_mib", "host_mib")

_SIZES = ("parameters", "flops")
"""Costs that are not better when they are smaller."""


def cost(board: Board, field: Field, published: Sequence[Published] = ()) -> Table:
    """Training time and memory, time and memory of predicting one volume, size of the network, device."""
    results = board.of(field.dataset)
    published = [_by_model(one) for one in published]
    rows: list[Shown] = [*results, *(row for one in published for row in one.rows)]
    wanted = (
        ("train_s", "training", "training time", 1, "time"),
        ("gpu_train_mib", "training", "GPU memory in training", 1, "GPU"),
        ("predict_s_median", "prediction", "prediction time", 1, "time"),
        ("predict_s_p95", "prediction", "95th percentile of prediction time", 4, "p95"),
        ("gpu_predict_mib", "prediction", "GPU memory in prediction", 1, "GPU"),
        ("host_mib", "host", "host memory", 2, ""),
        ("parameters", "params", "parameters", 3, ""),
        ("flops", "a volume", "operations", 3, ""),
    )
    figures = [
        cost_figure(rows, name, group, label, priority, title=title, alike=_MEMORY if name in _MEMORY else ())
        for name, group, label, priority, title in wanted
        if any(getattr(row.cost, name) is not None for row in rows)
    ]
    letters = _letters(results)
    if letters:
        figures.append(_device(letters))
    columns, lines, sections = lay_out(board, field, published, figures)
    caption = [
        "* least among ranked entries. Training: all steps of a run, median over runs. "
        "Prediction: one complete phase (one volume) after warm-up, median and 95th percentile. "
        "GPU: peak of allocated memory; host: peak of the process.",
        *notes.ranks(field, results),
        captions.ground(board, field),
        *captions.notes(field),
        *notes.hardware(results, letters),
        *captions.reasons(results),
        *captions.cited(published),
    ]
    title = f"Costs of leaderboard {board.name} on {field.dataset}, {captions.ranked_by(board)}"
    return Table(title, columns, lines, tuple(caption), sections)


def cost_figure(
    rows: Sequence[Shown],
    name: str,
    group: str,
    label: str,
    priority: int,
    *,
    title: str = "",
    view: str = "",
    alike: Sequence[str] = (),
) -> FigureColumn:
    """The column of one field of `Cost`, in a unit that suits all `rows` (and the fields `alike`)."""

    def value(row: Shown) -> float | None:
        amount: float | None = getattr(row.cost, name)
        return amount

    scale = _SCALES[name](getattr(row.cost, each) for row in rows for each in alike or (name,))

    def printed(row: Shown) -> TableCell | None:
        # Published values get no more digits than were printed.
        amount = value(row) if isinstance(row, PublishedRow) else None
        return None if amount is None else TableCell(scale.short(amount), amount)

    # Times are not compared across machines, nor if other processes used the machine.
    hardware = {one for row in rows if not isinstance(row, PublishedRow) for one in row.hardware}
    moved = name not in _MEMORY and moved_by_others(hardware)
    comparable = len(hardware) < 2 and name not in _SIZES and not moved
    column = Column(
        f"{title} {scale.unit}".strip(),
        group,
        label=label,
        priority=priority,
        view=view,
        better="lower" if comparable else None,
        factor=scale.factor,
        topic=COST,
    )
    return FigureColumn(column, value, scale.text, printed)


def _by_model(one: Published) -> Published:
    """Published costs, which are by model, as one row per model for all losses."""
    first = {row.entry.model: row for row in reversed(one.rows)}
    rows = [first[model] for model in dict.fromkeys(row.entry.model for row in one.rows)]
    return replace(one, rows=tuple(replace(row, entry=replace(row.entry, loss="all")) for row in rows))


def _letters(results: Iterable[Result]) -> dict[str, str]:
    """A letter for each hardware class if there are several."""
    classes = sorted({one for result in results for one in result.hardware})
    return {name: chr(ord("a") + i) for i, name in enumerate(classes)} if len(classes) > 1 else {}


def _device(letters: Mapping[str, str]) -> FigureColumn:
    def letter(row: Shown) -> TableCell:
        return TableCell(
            "" if isinstance(row, PublishedRow) else ",".join(letters[one] for one in row.hardware)
        )

    column = Column("on", label="hardware", priority=1, holds="word", topic=COST)
    return FigureColumn(column, lambda row: None, str, letter)
