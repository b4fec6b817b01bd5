"""Finished runs that a leaderboard leaves out, and the reasons."""

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
        Column("reason", holds="word"),
    )
    rows = tuple(
        Row(
            (
                TableCell(run.entry.model),
                TableCell(run.entry.loss),
                TableCell(run.entry.dataset),
                TableCell(run.run_id),
                TableCell(run.reason),
            ),
            "unranked",
            run.entry,
        )
        for run in board.left_out
    )
    return Table(f"Left out of leaderboard {board.name}", columns, rows)
