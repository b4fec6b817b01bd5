"""Training variance in the bootstrap: the seeds of each entry are resampled beside the patients.

In a resample, all patients of an entry have the same seeds, and each entry's seeds are drawn
independently, since no two trainings are paired. The drawn seeds shift the means of the cells by the
difference between the mean over the drawn seeds and the mean over all seeds. What differs between seeds
patient by patient is already part of the variation between patients.

A bootstrap of few seeds is too narrow for two reasons. Its variance is (S − 1) / S times what it should
be for S seeds, and the spread of so few is itself uncertain, which Student's t corrects (both as in
Hesterberg 2015, The American Statistician 69:371-386, for the percentiles). Deviations are therefore
multiplied by √(S / (S − 1)) · t(0.975, df) / z(0.975). For a difference between two entries of S seeds
each, as in ranks and groups, df is 2 (S − 1): if all patients are alike, the interval is then the
two-sample t interval, on which the noise floor (`harness.stats.noise_floor`) is based too. Where only
one entry's seeds vary, in its mean or against an entry of one seed, df is S − 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from zlib import crc32

import numpy as np

from harness.stats.arrays import DECIMALS, Array

SEED = 1
"""Seeds the generator of an entry's draws, together with the entry's name."""


def seed_weights(names: Sequence[str], seeds: Sequence[int], resamples: int) -> Array:
    """By how much the weight of each seed differs from 1 / S, widened: entries × seeds × resamples.

    `seeds` is the number of seeds of each entry. The weights of an entry sum to 0 in each resample and
    depend on its name alone, not on the other entries. They are widened for differences between entries;
    see `single_entry_seed_weights` for means.
    """
    weights = np.zeros((len(names), max(seeds, default=0), resamples))
    for e, (name, number) in enumerate(zip(names, seeds, strict=True)):
        if number > 1:
            # RandomState: NumPy promises never to change its stream (NEP 19).
            generator = np.random.RandomState([SEED, crc32(name.encode())])
            drawn = generator.randint(0, number, size=(resamples, number))
            times = np.stack([(drawn == seed).sum(axis=1) for seed in range(number)])
            weights[e, :number] = (times - 1) * (widening(number, 2 * (number - 1)) / number)
    return weights


def single_entry_seed_weights(weights: Array, seeds: Sequence[int]) -> Array:
    """The same weights, widened as for a value that the seeds of only one entry affect (df = S − 1)."""
    factors = [widening(n, n - 1) / widening(n, 2 * (n - 1)) if n > 1 else 1.0 for n in seeds]
    widened: Array = weights * np.array(factors).reshape(-1, 1, 1)
    return widened


@cache
def widening(seeds: int, df: int) -> float:
    """The factor √(S / (S − 1)) · t(0.975, df) / z(0.975) for S `seeds`, two or more."""
    from scipy.stats import norm, t

    z, students = float(norm.ppf(0.975)), float(t.ppf(0.975, df))
    return round(math.sqrt(seeds / (seeds - 1)) * students / z, DECIMALS)


def seed_shifts(means: Array, weights: Array) -> Array:
    """By how much the drawn seeds shift a mean, … × resamples, from the `means` by seed, … × seeds."""
    shifts = np.zeros((*means.shape[:-1], weights.shape[-1]))
    # Relative to the first seed, so that equal seeds shift nothing, not even the last bit. In a loop,
    # so that the order of the additions is the same on every machine.
    for seed in range(1, means.shape[-1]):
        shifts += (means[..., seed] - means[..., 0])[..., None] * weights[..., seed, :]
    return shifts
