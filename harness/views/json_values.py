"""``leaderboard.json`` and the JSON of a comparison: full precision, no NaN, no Infinity."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from harness.board.board import Board, Cell, Field, Result
from harness.board.clinical import agreements
from harness.board.comparison import Comparison
from harness.board.published import Published, PublishedRow

SCHEMA = 1
"""Version of both layouts."""

CELL = ("mean", "ci95", "sd", "n", "penalised", "excluded")
"""The values of a metric for a structure in a phase."""


def leaderboard_json(board: Board, published: Sequence[Published] = ()) -> dict[str, Any]:
    """The board as JSON values. `published` is limited to the board's datasets.

    `split_hash` is a string where the board has one dataset, else a mapping by dataset. An
    entry's `runs` are its planned runs, each with state and reason. `stability` and `noise_floor` are
    by dataset like `split_hash`, and null if they can't be computed.
    """
    datasets = {field.dataset_name for field in board.fields}
    return {
        "schema": SCHEMA,
        "leaderboard": board.name,
        "protocol": board.protocol.model_dump(mode="json", by_alias=True),
        "protocol_hash": board.protocol_hash,
        "split_hash": _by_dataset(board, lambda field: field.split_hash),
        "rank_method": board.rank_method,
        "stability": _by_dataset(board, lambda field: field.stability and asdict(field.stability)),
        "noise_floor": _by_dataset(board, _noise_floor),
        "entries": [_entry(result) for result in board.results],
        "published": [
            _published(one, row) for one in published if one.dataset in datasets for row in one.rows
        ],
        "left_out": [
            {
                "run_id": one.run_id,
                "entry": one.entry.name,
                "dataset": one.entry.dataset,
                "reason": one.reason,
            }
            for one in board.left_out
        ],
    }


def comparison_json(compared: Comparison) -> dict[str, Any]:
    """A comparison as JSON values."""
    return {"schema": SCHEMA, **asdict(compared)}


def _by_dataset(board: Board, get: Callable[[Field], Any]) -> Any:
    """One value where the board has one dataset, else a mapping by dataset."""
    values = {field.dataset: get(field) for field in board.fields}
    return next(iter(values.values())) if len(values) == 1 else values


def _noise_floor(field: Field) -> dict[str, Any] | None:
    if field.noise_floor is None:
        return None
    return {name: asdict(floor) for name, floor in field.noise_floor.items()}


def _entry(result: Result) -> dict[str, Any]:
    entry = result.entry
    return {
        "rank": result.rank,
        "rank_interval": result.rank_interval,
        "group": result.group,
        "entry": entry.name,
        "model": entry.model,
        "loss": entry.loss,
        "dataset": entry.dataset,
        # Sorted: a record read from its folder keeps the order of its plugin, a committed one does not.
        "params": {kind: dict(sorted(params.items())) for kind, params in result.params.items()},
        "state": result.state,
        "runs": [asdict(run) for run in result.runs],
        "scores": {
            metric: {
                structure: {phase: _cell(cell) for phase, cell in phases.items()}
                for structure, phases in structures.items()
            }
            for metric, structures in result.scores.items()
        },
        "overall": dict(result.overall),
        "overall_ci95": dict(result.overall_ci95),
        "clinical": {name: asdict(one) for name, one in agreements(result.clinical).items()},
        "cost": asdict(result.cost),
        "hardware": "; ".join(result.hardware) or None,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {name: getattr(cell, name) for name in CELL}


def _published(one: Published, row: PublishedRow) -> dict[str, Any]:
    """A published row in the layout of an entry; `source` is the folder below ``published/``."""
    return {
        "rank": None,
        "entry": row.entry.name,
        "model": row.entry.model,
        "loss": row.entry.loss,
        "dataset": row.entry.dataset,
        "state": "published",
        "source": one.name,
        "citation": one.citation,
        "url": one.url,
        "scores": {
            metric: {
                structure: {phase: {**dict.fromkeys(CELL), "mean": value} for phase, value in phases.items()}
                for structure, phases in structures.items()
            }
            for metric, structures in row.scores.items()
        },
        "overall": row.overall,
        "cost": asdict(row.cost),
    }
