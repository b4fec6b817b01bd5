"""Agreement of clinical indices with the reference, as the ACDC challenge reports it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from harness.board.board import Board, Entry, Field, Result
from harness.board.clinical import NEEDED, agreements
from harness.board.published import Published
from harness.errors import ConfigError
from harness.metrics.clinical import UNITS, Agreement
from harness.tables.table import Column, Table, TableCell
from harness.views import captions, notes
from harness.views.entry_rows import FigureColumn, Shown, lay_out

TITLES = {
    "lv-edv": "LV EDV",
    "lv-esv": "LV ESV",
    "lv-ef": "LV EF",
    "rv-edv": "RV EDV",
    "rv-esv": "RV ESV",
    "rv-ef": "RV EF",
    "myo-mass": "MYO mass",
}


def clinical(board: Board, field: Field, published: Sequence[Published] = ()) -> Table:
    """Correlation, bias, spread, limits of agreement and mean absolute error of each index."""
    results = board.of(field.dataset)
    agreements_of = {result.entry: agreements(result.clinical) for result in results}
    if not any(agreements_of.values()):
        raise ConfigError(
            "has no clinical indices",
            where=f"leaderboard {board.name}",
            remedy=f"They need LV, RV and MYO at ED and ES, and {' and '.join(NEEDED)} among the metrics.",
        )

    figures = [
        figure
        for index, unit in UNITS.items()
        for figure in _columns(index, f"{TITLES[index]} {unit}", agreements_of)
    ]
    columns, rows, sections = lay_out(board, field, (), figures)
    caption = [
        "* best ranked. Predicted minus reference, over patients: r is Pearson's; bias the mean difference, "
        "sd its standard deviation; limits of agreement are bias ± 1.96 sd; MAE the mean absolute error.",
        *notes.ranks(field, results),
        captions.ground(board, field),
        *captions.notes(field),
        *_left_out(agreements_of),
        *_penalised(results),
        *captions.reasons(results),
    ]
    title = f"Clinical indices, leaderboard {board.name} on {field.dataset}, {captions.ranked_by(board)}"
    return Table(title, columns, rows, tuple(caption), sections, panels=True)


def _columns(
    index: str, group: str, agreements_of: Mapping[Entry, Mapping[str, Agreement]]
) -> list[FigureColumn]:
    """The columns of one index."""

    def agreement(row: Shown) -> Agreement | None:
        return agreements_of.get(row.entry, {}).get(index) if isinstance(row, Result) else None

    def field_of(name: str) -> Callable[[Shown], float | None]:
        def value(row: Shown) -> float | None:
            agreed = agreement(row)
            return None if agreed is None else cast("float | None", getattr(agreed, name))

        return value

    def limits(row: Shown) -> TableCell | None:
        agreed = agreement(row)
        if agreed is None or agreed.lower is None or agreed.upper is None:
            return None
        return TableCell(f"{agreed.lower:+.1f} to {agreed.upper:+.1f}", limits=(agreed.lower, agreed.upper))

    one_decimal, signed = "{:.1f}".format, "{:+.1f}".format
    return [
        FigureColumn(Column("r", group, priority=1, better="higher"), field_of("r"), "{:.3f}".format),
        FigureColumn(Column("bias", group, priority=1), field_of("bias"), signed),
        FigureColumn(Column("sd", group, priority=1, better="lower"), field_of("sd"), one_decimal),
        FigureColumn(Column("limits", group, priority=1, interval=True), lambda row: None, str, limits),
        FigureColumn(Column("MAE", group, priority=1, better="lower"), field_of("mae"), one_decimal),
    ]


def _left_out(agreements_of: Mapping[Entry, Mapping[str, Agreement]]) -> list[str]:
    """Entries without an index for some patients: a volume is missing, or the end-diastolic volume is 0."""
    lacking = [
        f"{entry.name} {TITLES[index]} {agreed.excluded}"
        for entry, indices in agreements_of.items()
        for index, agreed in indices.items()
        if agreed.excluded
    ]
    return [f"Patients left out, because they lack the index: {'; '.join(lacking)}."] if lacking else []


def _penalised(results: Sequence[Result]) -> list[str]:
    """Entries that predict nothing at end diastole where the reference has an ejection fraction."""
    lacking = []
    for result in results:
        counts = Counter(pair.index for pair in result.clinical if pair.penalised)
        lacking += [f"{result.entry.name} {TITLES[index]} {n}" for index, n in sorted(counts.items())]
    if not lacking:
        return []
    return [
        "Patients without a predicted structure at end diastole, whose EF is set to 0 or 100 %, whichever is "
        f"farther from the reference: {'; '.join(lacking)}."
    ]
