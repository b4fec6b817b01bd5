"""The folder of a leaderboard, which is committed and reviewed. Equal input gives equal bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.board.board import Board
from harness.board.published import Published
from harness.errors import HarnessError
from harness.store.atomic import write_json, write_text
from harness.store.record import RECORDS, TABLE, Record, to_line
from harness.tables.clean import markdown_text
from harness.tables.markdown import to_markdown
from harness.views.against import against, counterparts
from harness.views.json_values import leaderboard_json
from harness.views.leaderboard_views import available, tables
from harness.views.long_csv import clinical_csv, leaderboard_csv


def write_leaderboard(
    folder: Path,
    board: Board,
    records: Iterable[Record],
    published: Sequence[Published] = (),
    line_of: Callable[[Record], str | None] = lambda record: None,
) -> None:
    """Write ``records.jsonl`` and the files made from it: ``leaderboard.json``, ``.csv`` and ``.md``.

    A board with clinical indices also gets ``clinical.csv``, the data of Bland-Altman plots. `records` are
    those of the board and those that it left out, so that the folder can be rebuilt.

    `line_of` returns the line of a record if it is known already. Each file is replaced as a whole; records
    come first, as the others can be rebuilt from them. HarnessError for a number that is not finite.
    """
    lines = "".join(line_of(record) or _line(record) for record in sorted(records, key=_order))
    write_text(folder / RECORDS, lines)
    write_json(folder / TABLE, leaderboard_json(board, published))
    write_text(folder / "leaderboard.csv", leaderboard_csv(board))
    if any(result.clinical for result in board.results):
        write_text(folder / "clinical.csv", clinical_csv(board))
    write_text(folder / "leaderboard.md", leaderboard_markdown(board, published))


def leaderboard_markdown(board: Board, published: Sequence[Published] = ()) -> str:
    """Every view that the board's metrics allow, what is published cell by cell, and the protocol."""
    parts = [f"# Leaderboard {markdown_text(board.name)}\n"]
    for view in available(board):
        parts += [to_markdown(table) for table in tables(board, view, published=published)]
    for theirs in published:
        for field in board.fields:
            if field.dataset_name == theirs.dataset and counterparts(board, field, theirs):
                parts += [to_markdown(table) for table in against(board, field, theirs)]
    parts.append(_protocol(board.protocol.model_dump(mode="json", by_alias=True)))
    return "\n".join(parts)


def _protocol(protocol: Mapping[str, Any]) -> str:
    text = json.dumps(protocol, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"## Protocol\n\n```json\n{text}\n```\n"


def _order(record: Record) -> tuple[Any, ...]:
    spec = record.spec
    labels = (spec.dataset.label, spec.model.label, spec.loss.label)
    return (*labels, spec.seed, spec.fold, record.run_id)


def _line(record: Record) -> str:
    try:
        return to_line(record)
    except ValueError as error:
        raise HarnessError(
            f"holds a number that is not finite ({error})",
            where=f"record {record.run_id}",
            remedy="Delete this run's folder and run it again.",
        ) from error
