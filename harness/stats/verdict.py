"""The verdict on a paired difference: better, worse, equivalent, or undecided."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from harness.stats.arrays import Interval

Verdict = Literal["better", "worse", "equivalent", "undecided"]


def verdict(ci95: Interval | None, *, higher_is_better: bool, margin: float = 0.0) -> Verdict:
    """The verdict on B against A, from the interval of the difference B − A.

    Equivalent: the whole interval is within ± `margin`; without a margin, only if there is no difference
    at all. Better or worse: the whole interval is on that side of 0. Undecided: everything else,
    and no interval.
    """
    if ci95 is None:
        return "undecided"
    low, high = ci95 if higher_is_better else (-ci95[1], -ci95[0])
    if -margin <= low and high <= margin:
        return "equivalent"
    return "better" if low > 0 else "worse" if high < 0 else "undecided"


def combined_verdict(verdicts: Collection[Verdict]) -> Verdict:
    """Better if some are better and none is worse, and the reverse; equivalent if all are; else undecided."""
    distinct = set(verdicts)
    if distinct == {"equivalent"}:
        return "equivalent"
    if "better" in distinct and "worse" not in distinct:
        return "better"
    return "worse" if "worse" in distinct and "better" not in distinct else "undecided"
