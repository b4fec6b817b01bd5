"""Group letters (compact letter display): entries that share a letter are not significantly different."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

_LETTER = re.compile(r"([A-Z])(\d*)(–?)")

_MOST_GROUPS = 300
"""With more groups on the way, an exact display could take forever: groups become runs of the ranking."""


def group_letters(order: Sequence[int], different: NDArray[np.bool_]) -> list[str]:
    """The letters of each entry in `order`, best first, such as ``A``, ``AB`` and ``B``.

    Two entries share a letter exactly where they are not `different` (entries × entries,
    symmetric). This is a compact letter display by inserting, absorbing and sweeping: Piepho 2004
    (J Comput Graph Stat 13:456-466). If that makes too many groups, they are runs of the ranking:
    entries that are not different still share a letter, but so do those between them. Four
    consecutive letters or more are written ``C–F``.
    """
    groups = _groups(different[np.ix_(order, order)])
    groups = sorted(groups, key=lambda group: _members(group, len(order)))
    return [
        _as_text([number for number, group in enumerate(groups) if group >> position & 1])
        for position in range(len(order))
    ]


def letter(number: int) -> str:
    """A, B, … Z, A1, B1, … for 0, 1, …: unambiguous also in a row, such as ``YZA1``."""
    turn, position = divmod(number, 26)
    return chr(ord("A") + position) + (str(turn) if turn else "")


def share_letter(a: str | None, b: str | None) -> bool:
    """Whether two entries with these letters have one in common."""
    return not _as_numbers(a or "").isdisjoint(_as_numbers(b or ""))


def letters_are_exact(order: Sequence[int], letters: Sequence[str], different: NDArray[np.bool_]) -> bool:
    """Whether no two `different` entries share a letter, which they may where groups are runs."""
    numbers = [_as_numbers(text) for text in letters]
    pairs = np.argwhere(np.triu(different[np.ix_(order, order)]))
    return all(numbers[a].isdisjoint(numbers[b]) for a, b in pairs)


def _as_text(numbers: Sequence[int]) -> str:
    parts: list[str] = []
    for _, run in groupby(enumerate(numbers), key=lambda indexed: indexed[1] - indexed[0]):
        consecutive = [number for _, number in run]
        if len(consecutive) > 3:
            parts.append(f"{letter(consecutive[0])}–{letter(consecutive[-1])}")
        else:
            parts += map(letter, consecutive)
    return "".join(parts)


def _as_numbers(text: str) -> set[int]:
    numbers: set[int] = set()
    first: int | None = None
    for sign, turn, dash in _LETTER.findall(text):
        number = ord(sign) - ord("A") + 26 * int(turn or 0)
        numbers |= set(range(number if first is None else first, number + 1))
        first = number if dash else None
    return numbers


def _groups(different: NDArray[np.bool_]) -> list[int]:
    """Groups of entries of which no two are different. A group is an integer, one bit a member."""
    groups = [(1 << len(different)) - 1] if len(different) else []
    for entry, row in enumerate(different):
        others = sum(1 << int(other) for other in np.flatnonzero(row))
        groups = _inserted(groups, 1 << entry, others)
        if len(groups) > _MOST_GROUPS:
            return _runs(different)
    return _swept(groups, len(different))


def _runs(different: NDArray[np.bool_]) -> list[int]:
    """From each entry to the last that is not different from it; runs within another are left out."""
    runs, last = [], -1
    for first, row in enumerate(different):
        until = int(np.flatnonzero(~row)[-1])
        if until > last:
            runs.append((1 << until + 1) - (1 << first))
            last = until
    return runs


def _inserted(groups: Sequence[int], entry: int, others: int) -> list[int]:
    """The groups after splitting each that has both `entry` and some of `others` in two.

    Groups within another are absorbed.
    """
    kept = [group for group in groups if not (group & entry and group & others)]
    parts = {
        part
        for group in groups
        if group & entry and group & others
        for part in (group & ~entry, group & ~others)
    }
    # Larger ones first: only they can contain others.
    for part in sorted(parts, key=lambda part: (-part.bit_count(), part)):
        if not any(part & ~group == 0 for group in kept):
            kept.append(part)
    return kept


def _swept(groups: Sequence[int], entries: int) -> list[int]:
    """The groups without those that are redundant: all pairs of their members share another group."""
    kept = sorted(groups, key=lambda group: (-group.bit_count(), group))
    for group in reversed(tuple(kept)):
        others = [other for other in kept if other != group]
        together = [0] * entries
        for other in others:
            for member in _members(other & group, entries):
                together[member] |= other
        if all(group & ~together[member] == 0 for member in _members(group, entries)):
            kept = others
    return kept


def _members(group: int, entries: int) -> list[int]:
    return [entry for entry in range(entries) if group >> entry & 1]
