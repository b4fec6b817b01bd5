"""Types and constants that all statistics share."""

from __future__ import annotations

import math
from collections.abc import Collection
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Interval = tuple[float, float]
"""Lower and upper limit of a 95 % confidence interval."""

Key = tuple[str, str, str]
"""What a cell is of: metric, structure, phase."""

DECIMALS = 12
"""Values that agree to this many decimals are equal: what differs further down is rounding error."""


def sample_sd(values: Collection[float]) -> float | None:
    """The sample standard deviation (divisor n − 1), None for fewer than two values.

    Sums are exact, so the order of the values changes no bit.
    """
    if len(values) < 2:
        return None
    mean = fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
