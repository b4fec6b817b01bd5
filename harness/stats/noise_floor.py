"""The noise floor: which differences of overall means the seeds alone would make.

With S seeds behind every mean, the standard deviation s between seeds (pooled over entries with
df = Σ (S_e − 1) degrees of freedom: s² = Σ_e Σ_k (x_ek − x̄_e)² / df) makes two entries that are
equally good differ by more than t(0.975, df) · s · √(2 / S) once in twenty times. This is
Fisher's least significant difference (The Design of Experiments, 1935).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_DIGITS = 12

Means = Mapping[int, Mapping[str, float | None]]
"""By seed: an entry's overall means by metric."""


@dataclass(frozen=True)
class NoiseFloor:
    """The smallest `difference` of two overall means that seeds alone don't make, and its `decimals`.

    `sd` is the standard deviation between seeds, pooled over entries with `df` degrees of
    freedom; `seeds` is the number of seeds behind each mean. `decimals` is None where the seeds
    don't differ at all.
    """

    difference: float
    decimals: int | None
    sd: float
    df: int
    seeds: int


def noise_floor(entries: Iterable[Means]) -> dict[str, NoiseFloor] | None:
    """The floor of each metric, from entries that have two seeds or more; None if there is none."""
    several = [one for one in entries if len(one) > 1]
    if not several:
        return None
    seeds = min(len(one) for one in several)
    floors = {}
    for name in dict.fromkeys(name for one in several for means in one.values() for name in means):
        groups = [[v for means in one.values() if (v := means.get(name)) is not None] for one in several]
        pooled = _pooled([values for values in groups if len(values) > 1])
        if pooled is not None:
            floors[name] = _floor(*pooled, seeds)
    return floors


def _pooled(groups: Sequence[Sequence[float]]) -> tuple[float, int] | None:
    """Standard deviation within groups, and its degrees of freedom."""
    df = sum(len(values) - 1 for values in groups)
    if not df:
        return None
    squares = []
    for values in groups:
        mean = math.fsum(values) / len(values)
        squares += [(value - mean) ** 2 for value in values]
    return math.sqrt(math.fsum(squares) / df), df


def _floor(sd: float, df: int, seeds: int) -> NoiseFloor:
    from scipy.stats import t

    difference = round(float(t.ppf(0.975, df)) * sd * math.sqrt(2 / seeds), _DIGITS)
    return NoiseFloor(difference, decimals(difference), round(sd, _DIGITS), df, seeds)


def decimals(difference: float) -> int | None:
    """Decimals up to the first digit of a difference that can be resolved; None for 0."""
    if not difference:
        return None
    return max(0, -int(f"{difference:.0e}".partition("e")[2]))
