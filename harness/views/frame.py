"""Scores and entries as data frames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from harness.board.board import Entry, Result
from harness.errors import DataError
from harness.store.record import CaseScore, Record, compared_records

if TYPE_CHECKING:
    import pandas as pd

ABOUT = ("entry", "model", "loss", "dataset", "seed", "fold")


def read_scores(folder: Path | str) -> pd.DataFrame:
    """Every score of a leaderboard's folder, a row a case, structure and metric.

    Columns are those of `scores_frame`. Runs that its tables leave out are not included. DataError
    if `folder` holds no ``records.jsonl``.
    """
    records = compared_records(Path(folder))
    if not records:
        raise DataError(
            "no records in this folder", where=folder, remedy="Give a folder such as leaderboards/quick."
        )
    return scores_frame(records)


def scores_frame(records: Iterable[Record]) -> pd.DataFrame:
    """Scores of `records`: entry, model, loss, dataset, seed, fold, then the fields of `CaseScore`.

    `value` is NaN in states without a value; handle these before taking a mean.
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


def entries_frame(results: Iterable[Result]) -> pd.DataFrame:
    """A row per entry: names, ranks, the mean of each metric with its interval, and costs.

    Columns: entry, model, loss, dataset, state, reason, rank, rank_low, rank_high, group; M, M_low and
    M_high for each metric M; the fields of `Cost`; hardware. Missing values are NaN or None.
    """
    import pandas as pd

    rows = []
    for result in results:
        entry = result.entry
        rank_low, rank_high = result.rank_interval or (None, None)
        row: dict[str, object] = {
            "entry": entry.name,
            **asdict(entry),
            "state": str(result.state),
            "reason": result.reason,
            "rank": result.rank,
            "rank_low": rank_low,
            "rank_high": rank_high,
            "group": result.group,
        }
        for name, mean in result.overall.items():
            low, high = result.overall_ci95.get(name) or (None, None)
            row |= {name: mean, f"{name}_low": low, f"{name}_high": high}
        rows.append(row | asdict(result.cost) | {"hardware": ", ".join(result.hardware)})
    frame = pd.DataFrame(rows)
    whole = [name for name in ("rank", "rank_low", "rank_high") if name in frame]
    return frame.astype(dict.fromkeys(whole, "Int64"))
