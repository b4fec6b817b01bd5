"""The best of a column: among ranked rows, at the printed precision."""

from __future__ import annotations

from harness.board.board import Entry
from harness.tables.table import Column, Row, Table, TableCell, mark_best, only


def table(*values: tuple[str, float | None], better="higher", kinds=()):
    kinds = [*kinds, *["ranked"] * (len(values) - len(kinds))]
    rows = tuple(
        Row((TableCell(text, value),), kind, Entry(text, "l", "d"))
        for (text, value), kind in zip(values, kinds, strict=True)
    )
    return Table("t", (Column("x", better=better),), rows)


def marks(made):
    return [row.cells[0].best for row in mark_best(made).rows]


def test_equal_prints_are_all_marked():
    """0.9124 and 0.9121 print alike; a mark on one would claim a difference that is not shown."""
    assert marks(table(("0.912", 0.9124), ("0.912", 0.9121), ("0.911", 0.911))) == [True, True, False]


def test_lower_is_better_for_distances():
    assert marks(table(("9.0", 9.0), ("8.0", 8.0), better="lower")) == [False, True]


def test_only_ranked_rows_compete():
    made = table(("0.99", 0.99), ("0.9", 0.9), ("0.8", 0.8), kinds=["published"])
    assert marks(made) == [False, True, False]


def test_no_contest_no_mark():
    assert marks(table(("0.9", 0.9), ("—", None))) == [False, False]
    assert marks(table(("0.9", 0.9), ("0.8", 0.8), better=None)) == [False, False]


def test_a_selection_keeps_the_marks_of_the_whole():
    """Hiding the leader must not crown the second."""
    made = only(mark_best(table(("0.9", 0.9), ("0.8", 0.8))), lambda entry: entry.model == "0.8")
    assert [row.cells[0].best for row in made.rows] == [False]
