"""The noise floor: the smallest difference of overall means larger than seed-to-seed variation.

Let s be the standard deviation between seeds, pooled over entries with df = Σ (S_e − 1) degrees of
freedom: s² = Σ_e Σ_k (x_ek − x̄_e)² / df. Two equally good entries of S seeds each then differ by more
than t(0.975, df) · s · √(2 / S) once in twenty times. This is Fisher's least significant difference
(The Design of Experiments, 1935).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.stats.arrays import DECIMALS

SeedMeans = Mapping[int, Mapping[str, float | None]]
"""An entry's overall means, by seed and metric."""


@dataclass(frozen=True)
class NoiseFloor:
    """The smallest `difference` of two overall means larger than seed-to-seed variation.

    `decimals` is the number of decimals that it resolves, None where the seeds don't differ at all.
    `sd` is the standard deviation between seeds, pooled over entries with `df` degrees of
    freedom; `seeds` is the smallest number of seeds behind a mean.
    """

    difference: float
    decimals: int | None
    sd: float
    df: int
    seeds: int


def noise_floor(entries: Iterable[SeedMeans]) -> dict[str, NoiseFloor] | None:
    """The noise floor of each metric, from entries of two seeds or more; None if there is no such entry."""
    replicated = [entry for entry in entries if len(entry) > 1]
    if not replicated:
        return None
    seeds = min(len(entry) for entry in replicated)
    floors = {}
    for name in dict.fromkeys(name for entry in replicated for means in entry.values() for name in means):
        groups = [
            [value for means in entry.values() if (value := means.get(name)) is not None]
            for entry in replicated
        ]
        pooled = _pooled_sd([values for values in groups if len(values) > 1])
        if pooled is not None:
            floors[name] = _floor(*pooled, seeds)
    return floors


def _pooled_sd(groups: Sequence[Sequence[float]]) -> tuple[float, int] | None:
    """The standard deviation within groups, and its degrees of freedom; None without any."""
    df = sum(len(values) - 1 for values in groups)
    if not df:
        return None
    squares = []
    for values in groups:
        mean = fmean(values)
        squares += [(value - mean) ** 2 for value in values]
    return math.sqrt(math.fsum(squares) / df), df


def _floor(sd: float, df: int, seeds: int) -> NoiseFloor:
    from scipy.stats import t

    difference = round(float(t.ppf(0.975, df)) * sd * math.sqrt(2 / seeds), DECIMALS)
    return NoiseFloor(difference, decimals(difference), round(sd, DECIMALS), df, seeds)


def decimals(difference: float) -> int | None:
    """The number of decimals up to the first significant digit of a difference; None for 0."""
    if not difference:
        return None
    return max(0, -int(f"{difference:.0e}".partition("e")[2]))
