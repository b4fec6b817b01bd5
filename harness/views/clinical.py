"""How well an entry's clinical indices agree with the reference's, as the ACDC challenge reports it."""

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
from harness.views.rows import FigureColumn, Shown, lay_out

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
    found = {result.entry: agreements(result.clinical) for result in results}
    if not any(found.values()):
        raise ConfigError(
            "has no clinical indices",
            where=f"leaderboard {board.name}",
            remedy=f"They need LV, RV and MYO at ED and ES, and {' and '.join(NEEDED)} among the metrics.",
        )

    figures = [
        figure
        for index, unit in UNITS.items()
        for figure in _columns(index, f"{TITLES[index]} {unit}", found)
    ]
    columns, rows, sections = lay_out(board, field, (), figures)
    caption = [
        "* best ranked. Predicted minus reference, over patients: r is Pearson's; bias the mean difference, "
        "sd its standard deviation; limits of agreement are bias ± 1.96 sd; MAE the mean absolute error.",
        *notes.ranks(field, results),
        captions.ground(board, field),
        *captions.notes(field),
        *_left_out(found),
        *_penalised(results),
        *captions.reasons(results),
    ]
    title = f"Clinical indices, leaderboard {board.name} on {field.dataset}, {captions.ranked_by(board)}"
    return Table(title, columns, rows, tuple(caption), sections, panels=True)


def _columns(index: str, group: str, found: Mapping[Entry, Mapping[str, Agreement]]) -> list[FigureColumn]:
    """The columns of one index."""

    def agreement(row: Shown) -> Agreement | None:
        return found.get(row.entry, {}).get(index) if isinstance(row, Result) else None

    def field_of(name: str) -> Callable[[Shown], float | None]:
        def value(row: Shown) -> float | None:
            one = agreement(row)
            return None if one is None else cast("float | None", getattr(one, name))

        return value

    def limits(row: Shown) -> TableCell | None:
        one = agreement(row)
        if one is None or one.lower is None or one.upper is None:
            return None
        return TableCell(f"{one.lower:+.1f} to {one.upper:+.1f}", limits=(one.lower, one.upper))

    one_decimal, signed = "{:.1f}".format, "{:+.1f}".format
    return [
        FigureColumn(Column("r", group, priority=1, better="higher"), field_of("r"), "{:.3f}".format),
        FigureColumn(Column("bias", group, priority=1), field_of("bias"), signed),
        FigureColumn(Column("sd", group, priority=1, better="lower"), field_of("sd"), one_decimal),
        FigureColumn(Column("limits", group, priority=1, interval=True), lambda row: None, str, limits),
        FigureColumn(Column("MAE", group, priority=1, better="lower"), field_of("mae"), one_decimal),
    ]


def _left_out(found: Mapping[Entry, Mapping[str, Agreement]]) -> list[str]:
    """Who lacks an index of some patients: a volume that could not be had, or nothing to eject."""
    lacking = [
        f"{entry.name} {TITLES[index]} {one.excluded}"
        for entry, indices in found.items()
        for index, one in indices.items()
        if one.excluded
    ]
    return [f"Patients left out, having no such index: {'; '.join(lacking)}."] if lacking else []


def _penalised(results: Sequence[Result]) -> list[str]:
    """Who gave no ejection fraction where the reference has one: nothing was found at end diastole."""
    lacking = []
    for result in results:
        counts = Counter(pair.index for pair in result.clinical if pair.penalised)
        lacking += [f"{result.entry.name} {TITLES[index]} {n}" for index, n in sorted(counts.items())]
    if not lacking:
        return []
    return [
        "Patients without the structure at end diastole, whose fraction counts as 0 or 100 %, whichever is "
        f"farther: {'; '.join(lacking)}."
    ]
