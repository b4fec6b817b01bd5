"""Groups of entries that cannot be told apart: letters as under the rows of a table of means."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

_LETTER = re.compile(r"([A-Z])(\d*)(–?)")

_MOST = 300
"""More groups on the way to a display could take forever: groups become runs."""


def groups(order: Sequence[int], apart: NDArray[np.bool_]) -> list[str]:
    """The letters of each entry in `order`, best first, such as ``A``, ``AB`` and ``B``.

    Two entries share a letter exactly where they are not told `apart` (entries × entries,
    symmetric). A compact letter display by inserting, absorbing and sweeping: Piepho 2004
    (J Comput Graph Stat 13:456-466). A group is held as the bits of its members' places. Where that
    makes too many groups, they are runs of the ranking: who can't be told apart still shares a
    letter, but so does who stands between. Four consecutive letters or more are written ``C–F``.
    """
    differ = apart[np.ix_(order, order)]
    found = _display(differ)
    found = sorted(found, key=lambda group: _members(group, len(order)))
    return [
        _written([number for number, group in enumerate(found) if group >> place & 1])
        for place in range(len(order))
    ]


def letter(number: int) -> str:
    """A, B, … Z, A1, B1, … for 0, 1, …; one can be told from the next where they stand together."""
    turn, place = divmod(number, 26)
    return chr(ord("A") + place) + (str(turn) if turn else "")


def share(a: str | None, b: str | None) -> bool:
    """Whether two entries with these letters have one in common."""
    return not _read(a or "").isdisjoint(_read(b or ""))


def exact(order: Sequence[int], letters: Sequence[str], apart: NDArray[np.bool_]) -> bool:
    """Whether the `letters` of `groups` say all; not where groups are runs that hold entries told apart."""
    read = [_read(one) for one in letters]
    pairs = np.argwhere(np.triu(apart[np.ix_(order, order)]))
    return all(read[a].isdisjoint(read[b]) for a, b in pairs)


def _written(numbers: Sequence[int]) -> str:
    parts: list[str] = []
    for _, run in groupby(enumerate(numbers), key=lambda one: one[1] - one[0]):
        own = [number for _, number in run]
        several = len(own) > 3
        parts += [f"{letter(own[0])}–{letter(own[-1])}"] if several else map(letter, own)
    return "".join(parts)


def _read(text: str) -> set[int]:
    found: set[int] = set()
    first: int | None = None
    for sign, turn, dash in _LETTER.findall(text):
        number = ord(sign) - ord("A") + 26 * int(turn or 0)
        found |= set(range(number if first is None else first, number + 1))
        first = number if dash else None
    return found


def _display(differ: NDArray[np.bool_]) -> list[int]:
    found = [(1 << len(differ)) - 1] if len(differ) else []
    for place, row in enumerate(differ):
        others = sum(1 << int(other) for other in np.flatnonzero(row))
        found = _inserted(found, 1 << place, others)
        if len(found) > _MOST:
            return _runs(differ)
    return _swept(found, len(differ))


def _runs(differ: NDArray[np.bool_]) -> list[int]:
    """From each entry to the last that it is not told apart from; runs within another are left out."""
    found, last = [], -1
    for first, row in enumerate(differ):
        until = int(np.flatnonzero(~row)[-1])
        if until > last:
            found.append((1 << until + 1) - (1 << first))
            last = until
    return found


def _inserted(found: Sequence[int], own: int, others: int) -> list[int]:
    """Every group with `own` and some of `others` parted in two; groups within another are absorbed."""
    whole = [group for group in found if not (group & own and group & others)]
    parts = {
        part for group in found if group & own and group & others for part in (group & ~own, group & ~others)
    }
    # Larger ones first: only they can hold others.
    for part in sorted(parts, key=lambda part: (-part.bit_count(), part)):
        if not any(part & ~group == 0 for group in whole):
            whole.append(part)
    return whole


def _swept(found: Sequence[int], places: int) -> list[int]:
    """Without the groups all pairs of which share another one."""
    kept = sorted(found, key=lambda group: (-group.bit_count(), group))
    for group in reversed(tuple(kept)):
        others = [other for other in kept if other != group]
        together = [0] * places
        for other in others:
            for place in _members(other & group, places):
                together[place] |= other
        if all(group & ~together[place] == 0 for place in _members(group, places)):
            kept = others
    return kept


def _members(group: int, places: int) -> list[int]:
    return [place for place in range(places) if group >> place & 1]
