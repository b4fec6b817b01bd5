"""Where each entry stands by the protocol's method, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.board.aggregate import Cases, Gathered, Key
from harness.board.board import Field, Result
from harness.board.bootstrap import Draws
from harness.board.methods import Contest, contest, figures, more_is_better
from harness.board.patients import Patients, patients_of
from harness.board.seeds import BySeed, seed_means
from harness.board.uncertainty import with_intervals, with_rank_intervals
from harness.stats.confidence_intervals import LEAST
from harness.stats.ranking import RANK_METHOD, RankMethod, Standing, better, rank, standings

_ORDER = ("done", "incomplete", "running", "failed", "skipped", "todo")


def place(
    results: Sequence[Result],
    gathered: Sequence[Gathered],
    values: Sequence[Mapping[Key, Cases]],
    seeds: Sequence[BySeed],
    field: Field,
    protocol: Mapping[str, Any],
    resamples: int,
) -> tuple[list[Result], Field]:
    """Rank the complete `results`, sort all, and put their uncertainty beside them and into `field`.

    `gathered` and `values` are the scores of each result and their `case_values`, `seeds` those with
    each seed alone. ConfigError for a metric that can't rank.
    """
    rank_by: tuple[str, ...] = tuple(protocol.get("rank_by", ("dice",)))
    method: RankMethod = protocol.get("rank_method", RANK_METHOD)
    up = {name: better(name) for name in rank_by}
    settled = [_checked(result, rank_by) for result in results]
    ranked = [
        i
        for i, result in enumerate(settled)
        if result.state == "done" and all(result.overall.get(name) is not None for name in up)
    ]
    table: Patients | None = None
    entrants: Contest | None = None
    if resamples or method != RANK_METHOD:
        keys = _keys(settled, field)
        table = replace(patients_of(values, keys), by_seed=seed_means(seeds, keys))
        entrants = contest(table, gathered, ranked, rank_by) if ranked else None
    for i, found in _standings(settled, ranked, rank_by, method, entrants).items():
        settled[i] = replace(
            settled[i], rank=found.rank, mean_rank=found.mean_rank, metric_ranks=found.metric_ranks
        )
    if table is not None and resamples and len(table.names) >= LEAST:
        names = [f"{result.entry.name} @ {result.entry.dataset}" for result in settled]
        draws = Draws.of(len(table.names), names, [len(own) for own in seeds], resamples)
        settled = with_intervals(settled, table, draws)
        if entrants is not None:
            own = draws.entries(ranked)
            settled, field = with_rank_intervals(settled, ranked, entrants, method, own, field)
    return sorted(settled, key=_row), field


def _standings(
    results: Sequence[Result],
    ranked: Sequence[int],
    rank_by: Sequence[str],
    method: RankMethod,
    entrants: Contest | None,
) -> dict[int, Standing]:
    """Of the results at `ranked`, by their index."""
    if method == RANK_METHOD or entrants is None:
        return rank({i: _means(results[i], rank_by) for i in ranked}, rank_by)
    by_metric = {name: figures(entrants, method, name)[:, 0] for name in rank_by}
    own = {i: {name: float(by_metric[name][row]) for name in rank_by} for row, i in enumerate(ranked)}
    return standings(own, {name: more_is_better(method, name) for name in rank_by})


def _means(result: Result, rank_by: Sequence[str]) -> dict[str, float]:
    return {name: mean for name in rank_by if (mean := result.overall.get(name)) is not None}


def _checked(result: Result, rank_by: Sequence[str]) -> Result:
    """With the reason, where a complete entry has no figure to be ranked by."""
    if result.state == "done":
        for name in rank_by:
            if result.overall.get(name) is None:
                return replace(result, reason=f"has no mean {name}, so it can't be ranked")
    return result


def _keys(results: Sequence[Result], field: Field) -> list[Key]:
    """The cells of all results, in the order of the tables."""
    metrics = dict.fromkeys(name for result in results for name in result.scores)
    return [
        (name, structure, phase)
        for name in metrics
        for structure in field.structures
        for phase in field.phases
        if any(phase in result.scores.get(name, {}).get(structure, {}) for result in results)
    ]


def _row(result: Result) -> tuple[bool, int, int, str, str]:
    entry = result.entry
    return (result.rank is None, result.rank or 0, _ORDER.index(result.state), entry.model, entry.loss)
