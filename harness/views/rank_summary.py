"""Where entries landed that were run just now, and against whom, in a sentence each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.board.board import Board, Entry, Result
from harness.stats.groups import share_letter
from harness.tables.units import metric_scale
from harness.views.rows import SHORT


def landed(board: Board, entries: Collection[Entry]) -> list[str]:
    """A sentence for each of `entries`; none on a dataset where nothing else is ranked."""
    sentences = []
    for field in board.fields:
        ranked = [r for r in board.results if r.entry.dataset == field.dataset and r.rank is not None]
        if {result.entry for result in ranked} <= set(entries):
            continue
        for result in board.results:
            if result.entry.dataset == field.dataset and result.entry in entries:
                sentences.append(_sentence(result, ranked, board))
    return sentences


def _sentence(result: Result, ranked: Sequence[Result], board: Board) -> str:
    name = result.entry.name
    if result.rank is None:
        done = sum(run.state == "done" for run in result.runs)
        why = (result.reason or f"{done} of {len(result.runs)} runs are done").rstrip(".")
        return f"{name} is not ranked yet: {why}."
    others = [other for other in ranked if other is not result]
    metric = board.protocol.get("rank_by", ("dice",))[0]
    where = f"{name} landed at rank {result.rank} of {len(ranked)}"
    if result.rank_interval is not None:
        low, high = result.rank_interval
        where += f" (95 %: {low}{f' to {high}' if high != low else ''})"
    where += f" with {SHORT.get(metric, metric)} {_value(result, metric)}"
    above = [other for other in others if (other.rank or 0) < result.rank]
    level = [other for other in others if other.rank == result.rank]
    below = [other for other in others if (other.rank or 0) > result.rank]
    against = [
        *([f"behind {_named(above[-1], metric)}"] if above else []),
        *([f"level with {_named(level[0], metric)}"] if level else []),
        *([f"ahead of {_named(below[0], metric)}"] if below else []),
    ]
    text = f"{where}, {', '.join(against)}."
    first = next((other for other in others if share_letter(other.group, result.group)), None)
    if first is not None and first in above:
        text += f" The patients don't tell it apart from {first.entry.name}."
    return text


def _named(other: Result, metric: str) -> str:
    return f"{other.entry.name} ({_value(other, metric)})"


def _value(result: Result, metric: str) -> str:
    value = result.overall.get(metric)
    scale = metric_scale(metric)
    return "without a mean" if value is None else f"{scale.text(value)} {scale.unit}".rstrip()
