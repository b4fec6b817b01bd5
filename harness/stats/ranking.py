"""Ranks by each metric, then the mean of those ranks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from harness.errors import ConfigError
from harness.metrics.definitions import metric

RankMethod = Literal["aggregate-then-rank", "rank-then-aggregate", "test-then-rank"]

RANK_METHOD: RankMethod = "aggregate-then-rank"
"""How ranks are made where a protocol does not say."""

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
    return standings(means, {name: better(name) for name in rank_by})


def better(name: str) -> bool:
    """Whether more of a metric is better; ConfigError for one that can't rank."""
    higher = metric(name).higher_is_better
    if higher is None:
        raise ConfigError(
            f"'{name}' has no better direction, so it can't rank",
            where="rank_by",
            remedy="Use a metric such as dice.",
        )
    return higher


def standings(figures: Mapping[K, Mapping[str, float]], higher: Mapping[str, bool]) -> dict[K, Standing]:
    """Standings by figures of any kind, one for each metric in `higher`, which says where more is better."""
    by_metric = {
        name: competition_ranks({key: own[name] for key, own in figures.items()}, higher_is_better=up)
        for name, up in higher.items()
    }
    mean_ranks = {key: sum(ranks[key] for ranks in by_metric.values()) / len(by_metric) for key in figures}
    places = competition_ranks(mean_ranks, higher_is_better=False)
    return {
        key: Standing({name: ranks[key] for name, ranks in by_metric.items()}, mean_ranks[key], places[key])
        for key in figures
    }
