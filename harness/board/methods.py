"""The three ways to a ranking, for the patients as they are and in every resample.

- aggregate-then-rank: the mean over patients in each cell, the mean over cells, then ranks;
- rank-then-aggregate: ranks in each patient and cell, their means, then ranks of those;
- test-then-rank: ranks by the number of significant wins in paired tests over patients.

Each gives a figure by metric, entry and resample; what is ranked by one metric is then averaged
over the protocol's metrics in the same way. Names and definitions are those of Maier-Hein et al.
2018 (Nat Commun 9:5217) and Wiesenfarth et al. 2021 (Sci Rep 11:2369).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.board.aggregate import Gathered
from harness.board.bootstrap import Draws, cell_means, overall_means, ratio, seed_shifts, weighted_sums
from harness.board.patients import Patients, judged, over_cells
from harness.stats.arrays import Array
from harness.stats.ranking import RankMethod, better
from harness.stats.significance import corrected, resampled_p_values, wins

METHODS: tuple[RankMethod, ...] = ("aggregate-then-rank", "rank-then-aggregate", "test-then-rank")

SHARED, SHARED_BY_TESTS = 4, 20
"""Resamples that share one draw of the seeds where patients are ranked or tested anew for each draw."""

_DIGITS = 12


@dataclass(frozen=True)
class Contest:
    """Ranked entries: `table` of their scores, and `values` by metric (`patients.judged`)."""

    table: Patients
    values: Mapping[str, Array]
    rank_by: Sequence[str]


def contest(
    table: Patients, gathered: Sequence[Gathered], columns: Sequence[int], rank_by: Sequence[str]
) -> Contest:
    """The entries in `columns` of `table`; `gathered` are the scores of all of its entries."""
    keys = [key for name in rank_by for key in table.cells(name)]
    own = Patients(
        table.names,
        tuple(keys),
        {key: table.sums[key][:, columns] for key in keys},
        {key: table.counts[key][:, columns] for key in keys},
        {key: table.by_seed[key][list(columns)] for key in keys if key in table.by_seed},
    )
    scores = [gathered[column] for column in columns]
    return Contest(own, {name: judged(own, scores, own.cells(name)) for name in rank_by}, tuple(rank_by))


def more_is_better(method: RankMethod, name: str) -> bool:
    """In which direction the figures of `method` for a metric rank."""
    if method == "aggregate-then-rank":
        return better(name)
    return method == "test-then-rank"


def figures(contest: Contest, method: RankMethod, name: str, draws: Draws | None = None) -> Array:
    """What `method` ranks by: entries × resamples, one without `draws`; NaN where there is none."""
    entries = contest.values[name].shape[1]
    drawn = Draws.none(len(contest.table.names), entries) if draws is None else draws
    if method == "aggregate-then-rank":
        means, has = overall_means(*cell_means(contest.table, name, drawn))
        return np.where(has, means, np.nan)
    shared = SHARED_BY_TESTS if method == "test-then-rank" else SHARED
    parts = []
    for moved, weight in _moved(contest, name, drawn, shared):
        if method == "rank-then-aggregate":
            parts.append(_mean_ranks(moved, better(name), weight))
        else:
            # What there is by the same test as what is drawn, or a rank could lie outside its interval.
            p = resampled_p_values(over_cells(moved), weight, higher_is_better=better(name))
            parts.append(wins(corrected(p)).astype(float))
    return np.concatenate(parts, axis=1)


def _moved(contest: Contest, name: str, draws: Draws, shared: int) -> Iterable[tuple[Array, Array]]:
    """Values by patient, entry and cell as drawn seeds move them, with the patients of `shared` resamples."""
    values = contest.values[name]
    for first in range(0, len(draws.patients), shared):
        moved = seed_shifts(contest.table, contest.table.cells(name), draws.seeds[:, :, [first]])
        if moved is None:
            yield values, draws.patients
            return
        yield values + moved[:, :, 0], draws.patients[first : first + shared]


def standing(contest: Contest, method: RankMethod, draws: Draws | None = None) -> tuple[Array, Array]:
    """Mean ranks over the metrics, and ranks by them: entries × resamples."""
    by_metric = [
        places(figures(contest, method, name, draws), higher_is_better=more_is_better(method, name))
        for name in contest.rank_by
    ]
    mean = sum(by_metric, np.zeros_like(by_metric[0])) / len(by_metric)
    return mean, places(mean, higher_is_better=False)


def places(values: Array, *, higher_is_better: bool) -> Array:
    """`ranking.competition_ranks` along the first axis of an array; NaN ranks behind everything."""
    keyed = np.round(-values if higher_is_better else values, _DIGITS)
    keyed = np.where(np.isnan(keyed), np.inf, keyed)
    order = np.argsort(keyed, axis=0, kind="stable")
    ordered = np.take_along_axis(keyed, order, 0)
    new = np.ones(ordered.shape, dtype=bool)
    new[1:] = ordered[1:] != ordered[:-1]
    counted = np.arange(1.0, len(values) + 1).reshape(-1, *[1] * (values.ndim - 1))
    ranks = np.empty_like(keyed)
    np.put_along_axis(ranks, order, np.maximum.accumulate(np.where(new, counted, 0.0), axis=0), 0)
    return ranks


def _mean_ranks(values: Array, higher_is_better: bool, weight: Array) -> Array:
    """Ranks of entries in each patient and cell, averaged over patients, then over cells."""
    ranks = np.moveaxis(places(np.moveaxis(values, 1, 0), higher_is_better=higher_is_better), 0, 1)
    # A patient in whom nobody has a value in a cell tells nothing; one who lacks it is last.
    told = np.broadcast_to(~np.isnan(values).all(axis=1, keepdims=True), values.shape).astype(float)
    means, has = overall_means(*ratio(weighted_sums(weight, ranks * told), weighted_sums(weight, told)))
    return np.where(has, means, np.nan)
