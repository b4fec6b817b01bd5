"""Competition ranks by each metric, and by the mean of these ranks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np

from harness.stats.arrays import DECIMALS, Array

RankMethod = Literal["aggregate-then-rank", "rank-then-aggregate", "test-then-rank"]

RANK_METHOD: RankMethod = "aggregate-then-rank"
"""How entries are ranked where a protocol does not say."""

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class EntryRanks:
    """An entry's rank by each metric, the mean of these ranks, and its rank by that mean."""

    metric_ranks: Mapping[str, int]
    mean_rank: float
    rank: int


def competition_ranks(values: Array, *, higher_is_better: bool) -> Array:
    """Ranks along the first axis: equal values share a rank and the next are skipped ("1 1 3").

    Values are equal if they agree to `DECIMALS`; NaN ranks behind all values.
    """
    from scipy.stats import rankdata

    oriented = np.round(-values if higher_is_better else values, DECIMALS)
    last = np.where(np.isnan(oriented), np.inf, oriented)
    ranks: Array = rankdata(last, method="min", axis=0).astype(np.float64)
    return ranks


def rank_by_metrics(
    values: Mapping[K, Mapping[str, float]], higher_is_better: Mapping[str, bool]
) -> dict[K, EntryRanks]:
    """Ranks of entries that all have a value for each metric of `higher_is_better`."""
    if not values:
        return {}
    by_metric = {
        name: _ranks({key: by_name[name] for key, by_name in values.items()}, higher_is_better=higher)
        for name, higher in higher_is_better.items()
    }
    mean_ranks = {key: sum(ranks[key] for ranks in by_metric.values()) / len(by_metric) for key in values}
    overall = _ranks(mean_ranks, higher_is_better=False)
    return {
        key: EntryRanks(
            {name: ranks[key] for name, ranks in by_metric.items()}, mean_ranks[key], overall[key]
        )
        for key in values
    }


def _ranks(values: Mapping[K, float], *, higher_is_better: bool) -> dict[K, int]:
    ranks = competition_ranks(np.array(list(values.values())), higher_is_better=higher_is_better)
    return {key: int(rank) for key, rank in zip(values, ranks, strict=True)}
