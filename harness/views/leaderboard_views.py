"""The views of a leaderboard by name, and the tables of a view."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from harness.board.board import Board, Entry, Field, Result
from harness.board.published import Published
from harness.errors import ConfigError, nearest
from harness.tables.table import Table, mark_best, only
from harness.views.accuracy import accuracy
from harness.views.clinical import clinical
from harness.views.cost import cost
from harness.views.groups import groups
from harness.views.left_out import left_out
from harness.views.summary import summary

View = Callable[[Board, Field, Sequence[Published]], Table]


def dice(board: Board, field: Field, published: Sequence[Published]) -> Table:
    """Dice by structure and phase."""
    return accuracy(board, field, published, "dice")


def hausdorff(board: Board, field: Field, published: Sequence[Published]) -> Table:
    """Hausdorff distance by structure and phase."""
    return accuracy(board, field, published, "hd")


VIEWS: Mapping[str, View] = {
    "summary": summary,
    "dice": dice,
    "hausdorff": hausdorff,
    "clinical": clinical,
    "groups": groups,
    "cost": cost,
}


NEEDS: Mapping[str, str] = {"dice": "dice", "hausdorff": "hd"}
"""The metric that a view requires."""


def available(board: Board) -> list[str]:
    """The views for which some dataset of the board has the scores."""
    return [view for view in VIEWS if view == "summary" or _fields(board, view)]


def _fields(board: Board, view: str) -> list[Field]:
    """The datasets that have what the view shows: a board may hold datasets of different organs."""
    if view in NEEDS and NEEDS[view] not in board.protocol.metrics:
        return []
    if view == "clinical":
        return [field for field in board.fields if any(r.clinical for r in board.of(field.dataset))]
    if view == "groups":
        return [field for field in board.fields if _has_groups(board.of(field.dataset))]
    return list(board.fields)


def _has_groups(results: Iterable[Result]) -> bool:
    cases = (case for result in results for record in result.records for case in record.cases)
    return any(case.group is not None for case in cases)


def tables(
    board: Board,
    view: str = "summary",
    *,
    published: Sequence[Published] = (),
    shown: Collection[Entry] | None = None,
) -> list[Table]:
    """A table for each dataset of `board` that has the scores of the view.

    ConfigError for an unknown view, or if no dataset has the scores. `shown` limits the rows; ranks and
    marks remain those among all entries. Published results on a table's dataset are its last rows. After
    the summary comes a table of the runs that were left out, with reasons.
    """
    if view not in VIEWS:
        raise ConfigError(f"no view '{view}'", remedy=nearest(view, VIEWS))
    made = []
    # If no dataset has the scores, the view raises the error that says why.
    for field in _fields(board, view) or board.fields:
        if shown is not None and not any(result.entry in shown for result in board.of(field.dataset)):
            continue
        beside = [one for one in published if one.dataset == field.dataset_name]
        table = mark_best(VIEWS[view](board, field, beside))
        made.append(table if shown is None else _only(table, shown))
    if view == "summary" and board.left_out:
        apart = left_out(board)
        apart = apart if shown is None else only(apart, lambda entry: entry in shown)
        made += [apart] if apart.rows else []
    return made


def _only(table: Table, shown: Collection[Entry]) -> Table:
    limited = only(table, lambda entry: entry in shown)
    all_rows, rows = (sum(row.entry is not None for row in t.rows) for t in (table, limited))
    if rows == all_rows:
        return table
    said = f"Showing {rows} of {all_rows} entries; ranks and marks are among all."
    return replace(limited, caption=(*limited.caption, said))
