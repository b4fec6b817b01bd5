"""The scores of one label map."""

from __future__ import annotations

from collections.abc import Sequence

from harness.metrics.scoring import Score
from harness.tables.table import MISSING, Column, Row, Table, TableCell
from harness.tables.units import metric_scale
from harness.views.entry_rows import title_of


def score_table(scores: Sequence[Score]) -> Table:
    """A row per structure and a column per metric; the caption names scores whose state is not ok."""
    metrics = list(dict.fromkeys(score.metric for score in scores))
    structures = list(dict.fromkeys(score.structure for score in scores))
    by_place = {(score.structure, score.metric): score for score in scores}
    columns = (Column("structure", holds="word"), *(Column(title_of(name)) for name in metrics))
    rows = tuple(
        Row((TableCell(structure), *(_cell(by_place.get((structure, name))) for name in metrics)))
        for structure in structures
    )
    states: dict[str, list[str]] = {}
    for score in scores:
        if score.state != "ok":
            states.setdefault(f"{score.structure}: {score.state}", []).append(score.metric)
    caption = tuple(f"{state} ({', '.join(names)})." for state, names in states.items())
    return Table("Scores", columns, rows, caption)


def _cell(score: Score | None) -> TableCell:
    if score is None or score.value is None:
        return TableCell(MISSING)
    return TableCell(metric_scale(score.metric).text(score.value), score.value)
