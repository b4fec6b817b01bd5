"""The learning rate as a pure function of progress, so that resuming a run needs no state for it."""

from __future__ import annotations

import math

WARM_UP = 0.25
"""The share of a one-cycle schedule in which the rate rises (Smith and Topin, arXiv:1708.07120)."""


def learning_rate(schedule: str, peak: float, done: float, work: float) -> float:
    """The rate of a step after `done` of all `work`, for ``one-cycle``, ``cosine`` or ``constant``."""
    if schedule == "constant":
        return peak
    progress = done / work
    if schedule == "cosine":
        return peak * _half_cosine(progress)
    if progress < WARM_UP:
        return peak * (0.04 + 0.96 * (1 - _half_cosine(progress / WARM_UP)))
    return peak * _half_cosine((progress - WARM_UP) / (1 - WARM_UP))


def _half_cosine(x: float) -> float:
    return (1 + math.cos(math.pi * x)) / 2
