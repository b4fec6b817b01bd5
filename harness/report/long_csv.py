"""``leaderboard.csv``: one line an entry × metric × structure × phase."""

from __future__ import annotations

import csv
import io

from harness.rank.board import Board
from harness.report.as_json import CELL

COLUMNS = (
    "rank",
    "entry",
    "model",
    "loss",
    "dataset",
    "state",
    "metric",
    "structure",
    "phase",
    *CELL,
)


def leaderboard_csv(board: Board) -> str:
    """The board in long form, full precision, empty where there is no value.

    An entry without any score has one line, so that none is lost.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in board.results:
        entry = result.entry
        about = (result.rank, entry.name, entry.model, entry.loss, entry.dataset, result.state)
        if not result.scores:
            writer.writerow((*about, *[None] * (len(COLUMNS) - len(about))))
        for metric, structures in result.scores.items():
            for structure, phases in structures.items():
                for phase, cell in phases.items():
                    figures = (getattr(cell, name) for name in CELL)
                    writer.writerow((*about, metric, structure, phase, *figures))
    return file.getvalue()
