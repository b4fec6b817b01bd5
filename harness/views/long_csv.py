"""``leaderboard.csv``, a line per entry, metric, structure and phase, and ``clinical.csv``, by patient."""

from __future__ import annotations

import csv
import io

from harness.board.board import Board
from harness.metrics.clinical import UNITS

FIGURES = ("mean", "ci95_low", "ci95_high", "sd", "n", "penalised", "excluded")

COLUMNS = (
    "rank",
    "rank_low",
    "rank_high",
    "group",
    "entry",
    "model",
    "loss",
    "dataset",
    "state",
    "metric",
    "structure",
    "phase",
    *FIGURES,
)


def leaderboard_csv(board: Board) -> str:
    """The board in long form, full precision, empty where there is no value.

    An entry without scores has one line, so that it is not lost.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in board.results:
        entry = result.entry
        low, high = result.rank_interval or (None, None)
        ranks = (result.rank, low, high, result.group)
        about = (*ranks, entry.name, entry.model, entry.loss, entry.dataset, result.state)
        if not result.scores:
            writer.writerow((*about, *[None] * (len(COLUMNS) - len(about))))
        for metric, structures in result.scores.items():
            for structure, phases in structures.items():
                for phase, cell in phases.items():
                    limits = cell.ci95 or (None, None)
                    figures = (cell.mean, *limits, cell.sd, cell.n, cell.penalised, cell.excluded)
                    writer.writerow((*about, metric, structure, phase, *figures))
    return file.getvalue()


CLINICAL = (
    "model",
    "loss",
    "dataset",
    "patient",
    "group",
    "index",
    "unit",
    "reference",
    "measured",
    "mean",
    "difference",
)


def clinical_csv(board: Board) -> str:
    """The clinical indices of every patient, with mean and difference as a Bland-Altman plot shows them."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CLINICAL)
    for result in board.results:
        entry = result.entry
        for pair in result.clinical:
            a, b = pair.reference, pair.measured
            plotted = (None, None) if a is None or b is None else ((a + b) / 2, b - a)
            about = (entry.model, entry.loss, entry.dataset, pair.patient, pair.group)
            writer.writerow((*about, pair.index, UNITS[pair.index], a, b, *plotted))
    return file.getvalue()
