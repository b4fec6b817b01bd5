"""Finished runs that are not on the leaderboard, and why."""

from __future__ import annotations

from harness.board.board import Board
from harness.tables.table import Cell, Column, Row, Table


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
                Cell(one.entry.model),
                Cell(one.entry.loss),
                Cell(one.entry.dataset),
                Cell(one.run_id),
                Cell(one.reason),
            ),
            "unranked",
            one.entry,
        )
        for one in board.left_out
    )
    return Table(f"Left out of leaderboard {board.name}", columns, rows)
