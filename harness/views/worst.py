"""The worst cases: where to look first."""

from __future__ import annotations

from collections.abc import Collection

from harness.board.aggregate import counts
from harness.board.board import Board, Entry, Field
from harness.errors import ConfigError
from harness.metrics.definitions import metric
from harness.tables.table import MISSING, Column, Row, Table, TableCell
from harness.tables.units import metric_scale
from harness.views.rows import title_of
from harness.views.summary import summary_metrics


def worst(board: Board, field: Field, most: int, shown: Collection[Entry] | None = None) -> Table:
    """The `most` worst scores of the metric that ranks, among the entries `shown`, the worst first.

    A row is a structure of a case; beside the ranking metric stand the summary's others.
    """
    if most < 1:
        raise ConfigError(f"--worst {most} shows nothing", remedy="Give a number from 1 up.")
    names = summary_metrics(board)
    higher = metric(names[0]).higher_is_better
    lines = []
    for result in board.of(field.dataset):
        if shown is not None and result.entry not in shown:
            continue
        for record in result.records:
            found: dict[tuple[str, str], dict[str, TableCell]] = {}
            about = {}
            for score in record.cases:
                if score.metric in names and counts(score) and score.value is not None:
                    place = (score.case, score.structure)
                    text = metric_scale(score.metric).text(score.value)
                    found.setdefault(place, {})[score.metric] = TableCell(text, score.value)
                    about[place] = (score.group or MISSING, score.state)
            for (case, structure), cells in found.items():
                if names[0] not in cells:
                    continue
                value = cells[names[0]].value
                assert value is not None
                group, state = about[case, structure]
                words = (result.entry.model, result.entry.loss, case, group, structure)
                row = Row(
                    (
                        *(TableCell(word) for word in words),
                        *(cells.get(name, TableCell(MISSING)) for name in names),
                        TableCell("" if state == "ok" else state),
                    ),
                    entry=result.entry,
                )
                lines.append((value if higher else -value, words, row))
    lines.sort(key=lambda line: line[:2])
    columns = (
        Column("model", holds="name"),
        Column("loss", holds="name"),
        Column("case", holds="name"),
        Column("group", holds="word", priority=2),
        Column("structure", holds="word"),
        *(Column(title_of(name), priority=place) for place, name in enumerate(names)),
        Column("state", holds="word", priority=3),
    )
    rows = tuple(row for _, _, row in lines[:most])
    title = f"Worst {len(rows)} of {len(lines)} scores by {title_of(names[0])}, leaderboard {board.name}"
    return Table(f"{title} on {field.dataset}", columns, rows)
