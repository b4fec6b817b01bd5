"""Groups of entries that cannot be told apart."""

from __future__ import annotations

from collections.abc import Sequence

from harness.rank.bootstrap import difference_limits
from harness.rank.patients import Array


def groups(order: Sequence[int], mean_ranks: Array) -> list[str]:
    """A letter for each entry in `order`, best first; `mean_ranks` are entries × resamples.

    Going down the ranking, an entry opens a new group when the paired bootstrap interval (95 %) of
    how far its mean rank is behind that of the first of the current group excludes 0. With one
    metric that is when the interval of the difference of the two entries' figures excludes 0: the
    ranks differ exactly where the figures do.
    """
    letters: list[str] = []
    first, number = 0, -1
    for entry in order:
        if number < 0 or difference_limits(mean_ranks[entry] - mean_ranks[first])[0] > 0:
            first, number = entry, number + 1
        letters.append(letter(number))
    return letters


def letter(number: int) -> str:
    """A, B, … Z, AA, AB, … for 0, 1, …"""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(ord("A") + digit) + text
    return text
