"""Scores by group of patients, such as the diagnosis."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from harness.board.aggregate import gather, overall, scores_of
from harness.board.board import Board, Field, Result
from harness.board.published import Published
from harness.errors import ConfigError
from harness.tables.table import Column, Table
from harness.tables.units import metric_scale
from harness.views import captions, notes
from harness.views.entry_rows import SHORT, FigureColumn, Shown, direction, lay_out, title_of
from harness.views.summary import summary_metrics


def groups(board: Board, field: Field, published: Sequence[Published] = ()) -> Table:
    """The mean over structures and phases of each metric of the summary, for the patients of each group."""
    results = board.of(field.dataset)
    patients = {
        case.patient: case.group
        for result in results
        for record in result.records
        for case in record.cases
        if case.group is not None
    }
    names = sorted(set(patients.values()))
    if not names:
        raise ConfigError("its patients have no groups", where=f"leaderboard {board.name}, {field.dataset}")
    metrics = summary_metrics(board)
    means = {result.entry: _means(result, names, metrics) for result in results}

    def of(group: str, metric: str) -> Callable[[Shown], float | None]:
        def value(row: Shown) -> float | None:
            return means[row.entry][group].get(metric) if isinstance(row, Result) else None

        return value

    figures = [
        FigureColumn(
            Column(
                group,
                title_of(metric),
                label=f"{SHORT.get(metric, metric)} {group}",
                priority=1 + place,
                better=direction(metric),
                topic=metric,
            ),
            of(group, metric),
            metric_scale(metric).text,
        )
        for place, metric in enumerate(metrics)
        for group in names
    ]
    columns, rows, sections = lay_out(board, field, (), figures)
    sizes = ", ".join(f"{name} {sum(group == name for group in patients.values())}" for name in names)
    caption = [
        notes.legend(metrics),
        *notes.ranks(field, results),
        f"Means over structures and phases, each equal, for the patients of a group: {sizes}.",
        captions.ground(board, field),
        *captions.notes(field),
        *captions.reasons(results),
    ]
    title = f"By group, leaderboard {board.name} on {field.dataset}, {captions.ranked_by(board)}"
    return Table(title, columns, rows, tuple(caption), sections, panels=True)


def _means(
    result: Result, names: Sequence[str], metrics: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    gathered = gather(result.records)
    structures = dict.fromkeys(structure for _, structure, _ in gathered)
    phases = dict.fromkeys(phase for _, _, phase in gathered)
    means = {}
    for name in names:
        of_group = {key: [s for s in scores if s.group == name] for key, scores in gathered.items()}
        means[name] = overall(scores_of(of_group, metrics, structures, phases))
    return means
