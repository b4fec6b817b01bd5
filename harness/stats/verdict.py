"""What a paired difference says: better, worse, equivalent, or undecided."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from harness.stats.arrays import Interval

Verdict = Literal["better", "worse", "equivalent", "undecided"]


def verdict(ci95: Interval | None, *, higher_is_better: bool, margin: float = 0.0) -> Verdict:
    """Of B against A, from the interval of the difference B − A.

    Equivalent: the whole interval is within ± `margin`; without a margin only where no difference
    at all is seen. Else better or worse: the whole interval is on that side of 0. Else, and where
    there is no interval, undecided.
    """
    if ci95 is None:
        return "undecided"
    low, high = ci95 if higher_is_better else (-ci95[1], -ci95[0])
    if -margin <= low and high <= margin:
        return "equivalent"
    return "better" if low > 0 else "worse" if high < 0 else "undecided"


def altogether(verdicts: Collection[Verdict]) -> Verdict:
    """Better if some are and none is worse, and the reverse; equivalent if all are; else undecided."""
    found = set(verdicts)
    if found == {"equivalent"}:
        return "equivalent"
    if "better" in found and "worse" not in found:
        return "better"
    return "worse" if "worse" in found and "better" not in found else "undecided"
