"""Bootstrap intervals beside every mean and rank; groups, stability and significance of a ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from harness.board.aggregate import Key
from harness.board.board import Field, Result, Scores, Significance
from harness.board.bootstrap import Draws, cell_means, overall_means, rank_shares
from harness.board.methods import METHODS, Contest, standing
from harness.board.patients import Patients, over_cells
from harness.metrics.definitions import metric
from harness.stats.arrays import Array, Interval
from harness.stats.confidence_intervals import apart, as_interval, intervals, rank_intervals
from harness.stats.groups import exact, groups
from harness.stats.ranking import RankMethod, better
from harness.stats.significance import corrected, p_values
from harness.stats.stability import stability

MOST_TESTED = 200
"""Tests grow as the square of the entries: beyond so many there is no significance matrix."""


def with_intervals(results: Sequence[Result], table: Patients, draws: Draws) -> list[Result]:
    """The results, which are the entries of `table`, with intervals of their cells and overall means."""
    draws = draws.of_means()
    of_cell: dict[tuple[int, Key], Interval] = {}
    of_mean: list[dict[str, Interval | None]] = [{} for _ in results]
    for name in dict.fromkeys(name for name, _, _ in table.keys):
        # One metric at a time: all resamples of all metrics would be hundreds of megabytes.
        means, has = cell_means(table, name, draws)
        tested = np.stack([table.counts[key] > 0 for key in table.cells(name)], axis=-1)
        limits = intervals(means, has, tested.sum(axis=0))
        for c, key in enumerate(table.cells(name)):
            for e in range(len(results)):
                if found := as_interval(limits[e, c]):
                    of_cell[e, key] = found
        if metric(name).higher_is_better is None:
            continue
        limits = intervals(*overall_means(means, has), tested.any(axis=-1).sum(axis=0))
        for e, result in enumerate(results):
            if name in result.overall:
                of_mean[e][name] = as_interval(limits[e]) if result.overall[name] is not None else None
    return [
        replace(result, scores=_with(result.scores, e, of_cell), overall_ci95=of_mean[e])
        for e, result in enumerate(results)
    ]


def with_rank_intervals(
    results: Sequence[Result],
    ranked: Sequence[int],
    contest: Contest,
    method: RankMethod,
    draws: Draws,
    field: Field,
) -> tuple[list[Result], Field]:
    """The results with rank intervals and groups for those at `ranked`, which are in `contest`."""
    entries = [results[i].entry for i in ranked]
    patients = len(contest.table.names)
    mean_ranks, ranks = standing(contest, method, draws)
    order = sorted(
        range(len(ranked)),
        key=lambda row: (results[ranked[row]].rank or 0, entries[row].model, entries[row].loss),
    )
    differ = apart(mean_ranks, patients)
    named = groups(order, differ)
    letters = dict(zip(order, named, strict=True))
    settled = list(results)
    for row, limits in enumerate(rank_intervals(ranks, patients)):
        i = ranked[row]
        settled[i] = replace(
            results[i], rank_interval=limits, group=letters[row], rank_shares=rank_shares(ranks[row])
        )
    if len(ranked) < 2:
        return settled, field
    few = len(ranked) <= MOST_TESTED
    compared = [one for one in METHODS if few or one != "test-then-rank"]
    points = {one: standing(contest, one)[1][:, 0] for one in compared}
    own = points[method] if method in points else standing(contest, method)[1][:, 0]
    tested = {name: _significance(contest, name) for name in contest.rank_by} if few else {}
    return settled, replace(
        field,
        exact_groups=exact(order, named, differ),
        stability=stability(own, ranks, patients, points),
        significance={
            name: Significance(
                tuple(entries[row] for row in order),
                tuple(tuple(_finite(p[row, column]) for column in order) for row in order),
            )
            for name, p in tested.items()
        },
    )


def _significance(contest: Contest, name: str) -> Array:
    return corrected(p_values(over_cells(contest.values[name]), higher_is_better=better(name)))


def _with(scores: Scores, e: int, found: dict[tuple[int, Key], Interval]) -> Scores:
    return {
        name: {
            structure: {
                phase: replace(cell, ci95=found.get((e, (name, structure, phase))))
                for phase, cell in phases.items()
            }
            for structure, phases in structures.items()
        }
        for name, structures in scores.items()
    }


def _finite(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
