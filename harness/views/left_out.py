"""Finished runs that are not on the leaderboard, and why."""

from __future__ import annotations

from harness.board.board import Board
from harness.tables.table import Column, Row, Table, TableCell


def left_out(board: Board) -> Table:
    """A row for each run that can't be compared with the ranked ones."""
    columns = (
        Column("model", holds="name"),
        Column("loss", holds="name"),
        Column("dataset", holds="name", priority=2),
        Column("run", holds="name", priority=3),
        Column("why it is left out", holds="word"),
    )
    rows = tuple(
        Row(
            (
                TableCell(one.entry.model),
                TableCell(one.entry.loss),
                TableCell(one.entry.dataset),
                TableCell(one.run_id),
                TableCell(one.reason),
            ),
            "unranked",
            one.entry,
        )
        for one in board.left_out
    )
    return Table(f"Left out of leaderboard {board.name}", columns, rows)
