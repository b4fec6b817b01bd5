"""Bootstrap intervals of every mean and rank; groups, stability and significance of a ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.board.board import Entry, Field, Result, Scores, Significance
from harness.metrics.definitions import metric
from harness.stats.arrays import Array, Interval, Key
from harness.stats.bootstrap import Resampling, cell_means, overall_means, rank_shares
from harness.stats.confidence_intervals import (
    as_interval,
    intervals,
    rank_intervals,
    significantly_different,
)
from harness.stats.groups import group_letters, letters_are_exact
from harness.stats.patient_scores import PatientScores, mean_over_cells
from harness.stats.ranking import RankMethod
from harness.stats.ranking_methods import METHODS, RankingData, ranks_by_method
from harness.stats.significance import holm_corrected, p_values
from harness.stats.stability import Stability, stability

MOST_TESTED = 200
"""The number of tests grows as the square of the entries: with more there is no significance matrix."""


def with_intervals(results: Sequence[Result], scores: PatientScores, resampling: Resampling) -> list[Result]:
    """The results, which are the entries of `scores`, with intervals of their cells and overall means."""
    resampling = resampling.for_single_entries()
    of_cells: dict[tuple[int, Key], Interval] = {}
    of_means: list[dict[str, Interval | None]] = [{} for _ in results]
    for name in dict.fromkeys(name for name, _, _ in scores.keys):
        # One metric at a time: all resamples of all metrics would take hundreds of megabytes.
        keys = scores.cells(name)
        means, has_value = cell_means(scores, name, resampling)
        has_score = np.stack([scores.counts[key] > 0 for key in keys], axis=-1)
        limits = intervals(means, has_value, has_score.sum(axis=0))
        for c, key in enumerate(keys):
            for e in range(len(results)):
                if interval := as_interval(limits[e, c]):
                    of_cells[e, key] = interval
        if metric(name).higher_is_better is None:
            continue
        limits = intervals(*overall_means(means, has_value), has_score.any(axis=-1).sum(axis=0))
        for e, result in enumerate(results):
            if name in result.overall:
                of_means[e][name] = as_interval(limits[e]) if result.overall[name] is not None else None
    return [
        replace(result, scores=_with_cell_intervals(result.scores, e, of_cells), overall_ci95=of_means[e])
        for e, result in enumerate(results)
    ]


def with_rank_intervals(
    results: Sequence[Result],
    ranked: Sequence[int],
    data: RankingData,
    method: RankMethod,
    resampling: Resampling,
    field: Field,
) -> tuple[list[Result], Field]:
    """The results with rank intervals and group letters, and the field with stability and significance.

    `ranked` are the indices of the results that `data` and `resampling` are about.
    """
    patients = len(data.scores.patients)
    mean_ranks, ranks = ranks_by_method(data, method, resampling)
    order = _table_order([results[i] for i in ranked])
    different = significantly_different(mean_ranks, patients)
    letters = group_letters(order, different)
    group = dict(zip(order, letters, strict=True))
    updated = list(results)
    for row, interval in enumerate(rank_intervals(ranks, patients)):
        updated[ranked[row]] = replace(
            results[ranked[row]],
            rank_interval=interval,
            group=group[row],
            rank_shares=rank_shares(ranks[row]),
        )
    if len(ranked) < 2:
        return updated, field
    few = len(ranked) <= MOST_TESTED
    return updated, replace(
        field,
        exact_groups=letters_are_exact(order, letters, different),
        stability=_stability(data, method, ranks, tests=few),
        significance=_significance(data, order, [results[i].entry for i in ranked]) if few else {},
    )


def _table_order(results: Sequence[Result]) -> list[int]:
    """The indices of ranked results in the order of the table."""

    def row(index: int) -> tuple[int, str, str]:
        entry = results[index].entry
        return results[index].rank or 0, entry.model, entry.loss

    return sorted(range(len(results)), key=row)


def _stability(data: RankingData, method: RankMethod, ranks: Array, *, tests: bool) -> Stability:
    """The stability of the ranking, which is compared with that of ``test-then-rank`` only if `tests`."""
    compared = [name for name in METHODS if tests or name != "test-then-rank"]
    by_method = {name: ranks_by_method(data, name)[1][:, 0] for name in compared}
    observed = by_method[method] if method in by_method else ranks_by_method(data, method)[1][:, 0]
    return stability(observed, ranks, len(data.scores.patients), by_method)


def _significance(
    data: RankingData, order: Sequence[int], entries: Sequence[Entry]
) -> dict[str, Significance]:
    """Corrected p values by metric, rows and columns in `order`."""
    in_order = tuple(entries[row] for row in order)
    significance = {}
    for name, higher in data.higher_is_better.items():
        p = holm_corrected(p_values(mean_over_cells(data.values[name]), higher_is_better=higher))
        rows = tuple(tuple(_none_if_nan(p[row, column]) for column in order) for row in order)
        significance[name] = Significance(in_order, rows)
    return significance


def _with_cell_intervals(scores: Scores, e: int, of_cells: dict[tuple[int, Key], Interval]) -> Scores:
    return {
        name: {
            structure: {
                phase: replace(cell, ci95=of_cells.get((e, (name, structure, phase))))
                for phase, cell in phases.items()
            }
            for structure, phases in structures.items()
        }
        for name, structures in scores.items()
    }


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
