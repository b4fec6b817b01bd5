"""Scores as a table for a notebook: everything that a reader's own statistics need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.board.board import Entry
from harness.errors import DataError
from harness.store.record import CaseScore, Record, compared_records

if TYPE_CHECKING:
    import pandas as pd

ABOUT = ("entry", "model", "loss", "dataset", "seed", "fold")


def read_scores(folder: Path | str) -> pd.DataFrame:
    """Every score of a leaderboard's folder, a row a case, structure and metric.

    Columns are those of `scores_frame`. Runs that its tables left out are not among them. DataError
    where `folder` holds no ``records.jsonl``.
    """
    records = compared_records(Path(folder))
    if not records:
        raise DataError(
            "there are no records here", where=folder, remedy="Name a folder such as leaderboards/quick."
        )
    return scores_frame(records)


def scores_frame(records: Iterable[Record]) -> pd.DataFrame:
    """Scores of `records`: entry, model, loss, dataset, seed, fold, then the fields of `CaseScore`.

    `value` is NaN in the states that have none; say what becomes of them before taking a mean.
    `spacing_mm` is a tuple ``(z, y, x)``.
    """
    import pandas as pd

    rows = []
    for record in records:
        entry = Entry.of(record.spec)
        about = (entry.name, entry.model, entry.loss, entry.dataset, record.spec.seed, record.spec.fold)
        named = dict(zip(ABOUT, about, strict=True))
        rows += [{**named, **asdict(score)} for score in record.cases]
    frame = pd.DataFrame(rows, columns=[*ABOUT, *CaseScore.__dataclass_fields__])
    return frame.astype({"value": float})
