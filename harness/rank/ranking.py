"""Aggregate, then rank: ranks by each metric of the means over cells, then the mean of those ranks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.errors import ConfigError
from harness.metrics.definitions import metric

K = TypeVar("K", bound=Hashable)

_DIGITS = 12
"""Means that agree to this many decimals share a rank: below is rounding, not difference."""


@dataclass(frozen=True)
class Standing:
    """Where an entry stands: by metric, the mean of those ranks, and its rank by that mean."""

    metric_ranks: Mapping[str, int]
    mean_rank: float
    rank: int


def competition_ranks(values: Mapping[K, float], *, higher_is_better: bool) -> dict[K, int]:
    """Rank 1 is the best; equal values share a rank and the next ones are skipped ("1 1 3")."""
    sign = -1.0 if higher_is_better else 1.0
    keyed = {key: round(sign * value, _DIGITS) for key, value in values.items()}
    first: dict[float, int] = {}
    for place, value in enumerate(sorted(keyed.values()), start=1):
        first.setdefault(value, place)
    return {key: first[value] for key, value in keyed.items()}


def rank(means: Mapping[K, Mapping[str, float]], rank_by: Sequence[str]) -> dict[K, Standing]:
    """Standings of entries that all have a mean for each metric of `rank_by`."""
    by_metric: dict[str, dict[K, int]] = {}
    for name in rank_by:
        higher = metric(name).higher_is_better
        if higher is None:
            raise ConfigError(
                f"'{name}' has no better direction, so it can't rank",
                where="rank_by",
                remedy="Use a metric such as dice.",
            )
        values = {key: overall[name] for key, overall in means.items()}
        by_metric[name] = competition_ranks(values, higher_is_better=higher)
    mean_ranks = {key: sum(ranks[key] for ranks in by_metric.values()) / len(rank_by) for key in means}
    places = competition_ranks(mean_ranks, higher_is_better=False)
    return {
        key: Standing({name: ranks[key] for name, ranks in by_metric.items()}, mean_ranks[key], places[key])
        for key in means
    }
