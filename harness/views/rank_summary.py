"""A sentence for each entry that was just run: its rank and its neighbours in the ranking."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.board.board import Board, Entry, Result
from harness.stats.groups import share_letter
from harness.tables.units import metric_scale
from harness.views.entry_rows import SHORT


def rank_sentences(board: Board, entries: Collection[Entry]) -> list[str]:
    """A sentence for each of `entries`; none on a dataset where nothing else is ranked."""
    metric = board.protocol.rank_by[0]
    sentences = []
    for field in board.fields:
        results = board.of(field.dataset)
        ranked = [result for result in results if result.rank is not None]
        if {result.entry for result in ranked} <= set(entries):
            continue
        for result in results:
            if result.entry in entries:
                sentences.append(_rank(result, ranked, metric) if result.rank else _no_rank(result))
    return sentences


def _no_rank(result: Result) -> str:
    done = sum(run.state == "done" for run in result.runs)
    why = (result.reason or f"{done} of {len(result.runs)} runs are done").rstrip(".")
    return f"{result.entry.name} is not ranked yet: {why}."


def _rank(result: Result, ranked: Sequence[Result], metric: str) -> str:
    assert result.rank is not None
    interval = ""
    if result.rank_interval is not None:
        low, high = result.rank_interval
        interval = f" (95 %: {low}{f' to {high}' if high != low else ''})"
    return (
        f"{result.entry.name} ranks {result.rank} of {len(ranked)}{interval} "
        f"with {SHORT.get(metric, metric)} {_value(result, metric)}, "
        f"{_neighbours(result, ranked, metric)}.{_not_worse(result, ranked)}"
    )


def _neighbours(result: Result, ranked: Sequence[Result], metric: str) -> str:
    """The next better entry, an entry that ties, and the next worse one."""
    rank = result.rank or 0
    above = [other for other in ranked if (other.rank or 0) < rank]
    tied = [other for other in ranked if other.rank == rank and other is not result]
    below = [other for other in ranked if (other.rank or 0) > rank]
    neighbours = (("behind", above[-1:]), ("level with", tied[:1]), ("ahead of", below[:1]))
    return ", ".join(
        f"{where} {other.entry.name} ({_value(other, metric)})"
        for where, others in neighbours
        for other in others
    )


def _not_worse(result: Result, ranked: Sequence[Result]) -> str:
    """A sentence on the best-ranked entry that is better but not significantly (shares a group letter)."""
    others = [other for other in ranked if other is not result]
    first = next((other for other in others if share_letter(other.group, result.group)), None)
    if first is None or (first.rank or 0) >= (result.rank or 0):
        return ""
    return f" It is not significantly different from {first.entry.name}."


def _value(result: Result, metric: str) -> str:
    value = result.overall.get(metric)
    scale = metric_scale(metric)
    return "without a mean" if value is None else f"{scale.text(value)} {scale.unit}".rstrip()
