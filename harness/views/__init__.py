"""What a table shows of a leaderboard (summary, accuracy, clinical indices, cost, …) or a comparison."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from harness.board.board import Board, Entry, Field, Result
from harness.board.published import Published
from harness.errors import ConfigError, nearest
from harness.tables.table import Table, mark_best, only
from harness.views.accuracy import accuracy
from harness.views.clinical import clinical
from harness.views.compare import comparison
from harness.views.cost import cost
from harness.views.groups import groups
from harness.views.left_out import left_out
from harness.views.summary import summary

__all__ = ["VIEWS", "available", "comparison", "tables"]

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
"""The metric that a view can't do without."""


def available(board: Board) -> list[str]:
    """The views for which some dataset of the board has the scores."""
    return [view for view in VIEWS if view == "summary" or _fields(board, view)]


def _fields(board: Board, view: str) -> list[Field]:
    """The datasets that can be looked at so: hearts and livers may stand on one board."""
    if view in NEEDS and NEEDS[view] not in board.protocol.get("metrics", ()):
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
    """A table for each dataset of `board` that has the scores; ConfigError if none has, or for no view.

    `shown` limits the rows; ranks and marks stay those among all. Of `published`, what is
    about the table's dataset stands below it. Below the summary is what was left out, with reasons.
    """
    if view not in VIEWS:
        raise ConfigError(f"no view '{view}'", remedy=nearest(view, VIEWS))
    made = []
    # Where no dataset can be looked at so, the view itself says why.
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
