"""Ranks of a dataset's entries by the protocol's method, with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.board.aggregate import Cases, Gathered
from harness.board.board import Field, Result
from harness.board.entry_state import EntryState
from harness.board.score_arrays import patient_scores, ranking_data
from harness.board.seed_scores import SeedScores, seed_means
from harness.board.uncertainty import with_intervals, with_rank_intervals
from harness.config.protocol import Protocol
from harness.errors import ConfigError
from harness.metrics.definitions import metric
from harness.stats.arrays import Key
from harness.stats.bootstrap import Resampling
from harness.stats.confidence_intervals import MIN_TO_RESAMPLE
from harness.stats.patient_scores import PatientScores
from harness.stats.ranking import RANK_METHOD, EntryRanks, RankMethod, rank_by_metrics
from harness.stats.ranking_methods import RankingData, higher_value_is_better, ranking_values

_ORDER = tuple(EntryState)


@dataclass(frozen=True)
class ScoredEntry:
    """A result with the scores behind it: gathered by cell, as `case_values`, and for each seed alone."""

    result: Result
    gathered: Gathered
    values: Mapping[Key, Cases]
    seeds: SeedScores


def rank_entries(
    entries: Sequence[ScoredEntry], field: Field, protocol: Protocol, resamples: int
) -> tuple[list[Result], Field]:
    """The results with ranks and their uncertainty, best first, and the field with that of the ranking.

    Only complete entries are ranked. ConfigError for a metric that can't rank.
    """
    directions = {name: ranking_direction(name) for name in protocol.rank_by}
    method = protocol.rank_method
    results = [_with_reason(entry.result, directions) for entry in entries]
    ranked = [i for i, result in enumerate(results) if _can_be_ranked(result, directions)]
    scores: PatientScores | None = None
    data: RankingData | None = None
    if resamples or method != RANK_METHOD:
        scores = _arrays(entries, field)
        data = ranking_data(scores, [e.gathered for e in entries], ranked, directions) if ranked else None
    for i, ranks in _ranks(results, ranked, directions, method, data).items():
        results[i] = replace(
            results[i], rank=ranks.rank, mean_rank=ranks.mean_rank, metric_ranks=ranks.metric_ranks
        )
    if scores is not None and resamples and len(scores.patients) >= MIN_TO_RESAMPLE:
        resampling = _resampling(entries, len(scores.patients), resamples)
        results = with_intervals(results, scores, resampling)
        if data is not None:
            selected = resampling.select(ranked)
            results, field = with_rank_intervals(results, ranked, data, method, selected, field)
    return sorted(results, key=_row_order), field


def ranking_direction(name: str) -> bool:
    """Whether a higher value of a metric is better; ConfigError if it has no better direction."""
    higher = metric(name).higher_is_better
    if higher is None:
        raise ConfigError(
            f"'{name}' has no better direction, so it can't rank",
            where="rank_by",
            remedy="Use a metric such as dice.",
        )
    return higher


def _with_reason(result: Result, directions: Mapping[str, bool]) -> Result:
    """The result with a reason if it is complete but lacks a mean to be ranked by."""
    if result.state == "done":
        for name in directions:
            if result.overall.get(name) is None:
                return replace(result, reason=f"has no mean {name}, so it can't be ranked")
    return result


def _can_be_ranked(result: Result, directions: Mapping[str, bool]) -> bool:
    return result.state == "done" and all(result.overall.get(name) is not None for name in directions)


def _arrays(entries: Sequence[ScoredEntry], field: Field) -> PatientScores:
    keys = _keys([entry.result for entry in entries], field)
    by_seed = seed_means([entry.seeds for entry in entries], keys)
    return patient_scores([entry.values for entry in entries], keys, by_seed)


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


def _ranks(
    results: Sequence[Result],
    ranked: Sequence[int],
    directions: Mapping[str, bool],
    method: RankMethod,
    data: RankingData | None,
) -> dict[int, EntryRanks]:
    """The ranks of the results with the indices `ranked`, by index."""
    if method == RANK_METHOD or data is None:
        return rank_by_metrics({i: _means(results[i], directions) for i in ranked}, directions)
    columns = {name: ranking_values(data, method, name)[:, 0] for name in directions}
    values = {
        i: {name: float(column[row]) for name, column in columns.items()} for row, i in enumerate(ranked)
    }
    return rank_by_metrics(
        values, {name: higher_value_is_better(method, higher) for name, higher in directions.items()}
    )


def _means(result: Result, directions: Mapping[str, bool]) -> dict[str, float]:
    return {name: mean for name in directions if (mean := result.overall.get(name)) is not None}


def _resampling(entries: Sequence[ScoredEntry], patients: int, resamples: int) -> Resampling:
    names = [f"{entry.result.entry.name} @ {entry.result.entry.dataset}" for entry in entries]
    return Resampling.draw(patients, names, [len(entry.seeds) for entry in entries], resamples)


def _row_order(result: Result) -> tuple[bool, int, int, str, str]:
    entry = result.entry
    return (result.rank is None, result.rank or 0, _ORDER.index(result.state), entry.model, entry.loss)
