"""The three ranking methods, on the observed patients and in every resample.

- aggregate-then-rank: the mean over patients in each cell, the mean over cells, then ranks;
- rank-then-aggregate: ranks in each patient and cell, their means, then ranks of those;
- test-then-rank: ranks by the number of significant wins in paired tests over patients.

Each gives a value by metric, entry and resample. Ranks by one metric are then averaged over the
protocol's metrics in the same way. Names and definitions are those of Maier-Hein et al.
2018 (Nat Commun 9:5217) and Wiesenfarth et al. 2021 (Sci Rep 11:2369).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from harness.stats.arrays import Array
from harness.stats.bootstrap import (
    Resampling,
    cell_means,
    cell_shifts,
    divide_counted,
    overall_means,
    weighted_sums,
)
from harness.stats.patient_scores import PatientScores, mean_over_cells
from harness.stats.ranking import RankMethod, competition_ranks
from harness.stats.significance import holm_corrected, resampled_p_values, significant_wins

METHODS: tuple[RankMethod, ...] = ("aggregate-then-rank", "rank-then-aggregate", "test-then-rank")

_BLOCK: Mapping[RankMethod, int] = {"rank-then-aggregate": 4, "test-then-rank": 20}
"""Resamples that share one draw of the seeds, because each draw needs all patients ranked or tested again."""


@dataclass(frozen=True)
class RankingData:
    """The scores of the entries to be ranked.

    `values` holds, for each metric, an array of patients × entries × cells, NaN where there is no
    value. It differs from the means in `scores` where a structure is absent: an entry that rightly
    predicts none has a perfect score. `higher_is_better` holds the metrics to rank by, in order.
    """

    scores: PatientScores
    values: Mapping[str, Array]
    higher_is_better: Mapping[str, bool]


def ranks_by_method(
    data: RankingData, method: RankMethod, resampling: Resampling | None = None
) -> tuple[Array, Array]:
    """Mean ranks over the metrics, and ranks by them: entries × resamples.

    Without `resampling` there is one column, for the observed patients.
    """
    by_metric = [
        competition_ranks(
            ranking_values(data, method, metric, resampling),
            higher_is_better=higher_value_is_better(method, higher),
        )
        for metric, higher in data.higher_is_better.items()
    ]
    mean = sum(by_metric, np.zeros_like(by_metric[0])) / len(by_metric)
    return mean, competition_ranks(mean, higher_is_better=False)


def higher_value_is_better(method: RankMethod, higher_metric_is_better: bool) -> bool:
    """Whether a higher value of `ranking_values` is better: a mean, a mean rank, or a number of wins."""
    if method == "aggregate-then-rank":
        return higher_metric_is_better
    return method == "test-then-rank"


def ranking_values(
    data: RankingData, method: RankMethod, metric: str, resampling: Resampling | None = None
) -> Array:
    """The values that `method` ranks by: entries × resamples; NaN where there is none."""
    if resampling is None:
        resampling = Resampling.observed(len(data.scores.patients), data.values[metric].shape[1])
    if method == "aggregate-then-rank":
        means, has_value = overall_means(*cell_means(data.scores, metric, resampling))
        return np.where(has_value, means, np.nan)
    higher = data.higher_is_better[metric]
    blocks = _resampled_values(data, metric, resampling, _BLOCK[method])
    if method == "rank-then-aggregate":
        return np.concatenate([_mean_ranks(values, higher, weights) for values, weights in blocks], axis=1)
    return np.concatenate([_wins(values, higher, weights) for values, weights in blocks], axis=1)


def _resampled_values(
    data: RankingData, metric: str, resampling: Resampling, block: int
) -> Iterable[tuple[Array, Array]]:
    """The metric's values, shifted by the drawn seeds, with the patient weights of a `block` of resamples."""
    values = data.values[metric]
    for first in range(0, len(resampling.patients), block):
        shifts = cell_shifts(data.scores, data.scores.cells(metric), resampling.seeds[:, :, [first]])
        if shifts is None:
            yield values, resampling.patients
            return
        yield values + shifts[:, :, 0], resampling.patients[first : first + block]


def _mean_ranks(values: Array, higher_is_better: bool, weights: Array) -> Array:
    """Ranks of entries in each patient and cell, averaged over patients, then over cells."""
    entries_first = np.moveaxis(values, 1, 0)
    ranks = np.moveaxis(competition_ranks(entries_first, higher_is_better=higher_is_better), 0, 1)
    # A patient counts in a cell if any entry has a value there; an entry without one ranks last.
    counted = np.broadcast_to(~np.isnan(values).all(axis=1, keepdims=True), values.shape).astype(float)
    sums, number = weighted_sums(weights, ranks * counted), weighted_sums(weights, counted)
    means, has_value = overall_means(*divide_counted(sums, number))
    return np.where(has_value, means, np.nan)


def _wins(values: Array, higher_is_better: bool, weights: Array) -> Array:
    """Numbers of significant wins. The observed patients are tested like the resampled ones.

    With another test, a rank could lie outside its own interval.
    """
    p = resampled_p_values(mean_over_cells(values), weights, higher_is_better=higher_is_better)
    return significant_wins(holm_corrected(p)).astype(float)
