"""The worst cases: where to look first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from harness.board.aggregate import counts
from harness.board.board import Board, Entry, Field
from harness.errors import ConfigError
from harness.metrics.definitions import metric
from harness.store.record import Record
from harness.tables.table import MISSING, Column, Row, Table, TableCell, number
from harness.tables.units import metric_scale
from harness.views.entry_rows import title_of
from harness.views.summary import summary_metrics


def worst(board: Board, dataset: Field, most: int, shown: Collection[Entry] | None = None) -> Table:
    """The `most` worst scores of the metric that ranks, among the entries `shown`, the worst first.

    A row is a structure of a case; beside the ranking metric stand the summary's others.
    """
    if most < 1:
        raise ConfigError(f"--worst {most} shows nothing", remedy="Give a number from 1 up.")
    names = summary_metrics(board)
    scored = [
        structure
        for result in board.of(dataset.dataset)
        if shown is None or result.entry in shown
        for record in result.records
        for structure in _structures(result.entry, record, names)
    ]
    sign = 1 if metric(names[0]).higher_is_better else -1
    scored.sort(key=lambda structure: (sign * structure.values[names[0]], structure.words))
    columns = (
        Column("model", holds="name"),
        Column("loss", holds="name"),
        Column("case", holds="name"),
        Column("group", holds="word", priority=2),
        Column("structure", holds="word"),
        *(Column(title_of(name), priority=place) for place, name in enumerate(names)),
        Column("state", holds="word", priority=3),
    )
    rows = tuple(structure.row(names) for structure in scored[:most])
    title = f"Worst {len(rows)} of {len(scored)} scores by {title_of(names[0])}, leaderboard {board.name}"
    return Table(f"{title} on {dataset.dataset}", columns, rows)


@dataclass
class _ScoredStructure:
    """A structure of a case in one record: the values by metric, and the state of the last score read."""

    entry: Entry
    case: str
    structure: str
    group: str = MISSING
    state: str = "ok"
    values: dict[str, float] = field(default_factory=dict)

    @property
    def words(self) -> tuple[str, ...]:
        return self.entry.model, self.entry.loss, self.case, self.group, self.structure

    def row(self, metrics: Sequence[str]) -> Row:
        scores = (number(self.values.get(name), metric_scale(name).text) for name in metrics)
        state = TableCell("" if self.state == "ok" else self.state)
        return Row((*map(TableCell, self.words), *scores, state), entry=self.entry)


def _structures(entry: Entry, record: Record, metrics: Sequence[str]) -> list[_ScoredStructure]:
    """The structures of a record's cases that have a value of the first metric."""
    structures: dict[tuple[str, str], _ScoredStructure] = {}
    for score in record.cases:
        if score.metric in metrics and counts(score) and score.value is not None:
            key = (score.case, score.structure)
            scored = structures.setdefault(key, _ScoredStructure(entry, *key))
            scored.group, scored.state = score.group or MISSING, score.state
            scored.values[score.metric] = score.value
    return [scored for scored in structures.values() if metrics[0] in scored.values]
