"""Choosing the columns of a table that fit a width, and folding names."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from rich.cells import cell_len, chop_cells

from harness.tables.table import SPARE, Table

ESSENTIAL = 2
"""Names are folded to make room for columns up to this priority."""

_NARROWEST = 8
"""The smallest width that names are folded to."""

_PROSE = 20
"""The smallest width that text is folded to before names are folded."""


@dataclass(frozen=True)
class Panel:
    """Columns (by index) side by side, with their widths."""

    columns: tuple[int, ...]
    widths: tuple[int, ...]


@dataclass(frozen=True)
class Span:
    """A group's title above the columns `members`, from character `start` to `stop`."""

    group: str
    start: int
    stop: int
    members: tuple[int, ...]


def fit(table: Table, natural: Sequence[int], width: int) -> tuple[list[Panel], list[int]]:
    """Choose columns for `width`: panels from top to bottom, and the columns that don't fit.

    `natural` are the widths that show every cell on one line. Numbers are never folded or
    cut. Columns of low priority are dropped, or continued in further panels if the table has
    `panels`. Names are folded to make room for essential columns, and broken within a word only for
    columns of priority 0.
    """
    if table.panels:
        panels = _continued(table, natural, width)
        return panels, _missing(table, {i for panel in panels for i in panel.columns})
    chosen: list[int] = []
    widths = list(natural)
    for priority in sorted({column.priority for column in table.columns}):
        level = [i for i, column in enumerate(table.columns) if column.priority == priority]
        wanted = sorted(chosen + level)
        tried = widths
        if priority <= ESSENTIAL:
            tried = _folded(table, wanted, natural, width, chop=priority == 0)
        if priority == 0 or total(_panel(table, wanted, tried), table) <= width:
            chosen, widths = wanted, list(tried)
    return [_panel(table, chosen, widths)], _missing(table, chosen)


def fold(text: str, width: int) -> list[str]:
    """Lines of a label, broken before and between its parameters, elsewhere only if necessary."""
    lines = [""]
    for piece in pieces(text):
        if cell_len(lines[-1] + piece) <= width:
            lines[-1] += piece
            continue
        chopped = chop_cells(piece, width) if cell_len(piece) > width else [piece]
        lines = [*lines, *chopped] if lines[-1] else chopped
    return lines


def gap(table: Table, left: int, right: int) -> int:
    """Spaces between neighbouring columns: one within a group or before a `close` column, two elsewhere."""
    group = table.columns[left].group
    close = table.columns[right].close and right == left + 1
    return 1 if close or (group and group == table.columns[right].group) else 2


def gaps(table: Table, columns: Sequence[int]) -> list[int]:
    """Spaces before each column."""
    return [0, *(gap(table, a, b) for a, b in pairwise(columns))][: len(columns)]


def total(panel: Panel, table: Table) -> int:
    """The width of a panel."""
    return sum(panel.widths) + sum(gaps(table, panel.columns))


def spans(table: Table, panel: Panel) -> Iterable[Span]:
    """The groups of a panel and their positions."""
    position = 0
    placed = []
    for i, width, space in zip(panel.columns, panel.widths, gaps(table, panel.columns), strict=True):
        position += space
        placed.append((i, position, position + width))
        position += width
    for group, members in groupby(placed, key=lambda position: table.columns[position[0]].group):
        if group:
            run = list(members)
            yield Span(group, run[0][1], run[-1][2], tuple(i for i, _, _ in run))


def starred(table: Table, index: int) -> bool:
    """Whether a column has room for the star of the best value."""
    return any(row.cells[index].best for row in table.rows)


def _missing(table: Table, chosen: Container[int]) -> list[int]:
    return [i for i, column in enumerate(table.columns) if i not in chosen and column.priority < SPARE]


def _panel(table: Table, columns: Sequence[int], widths: Sequence[int]) -> Panel:
    """A panel whose groups are wide enough for their titles."""
    wide = {i: widths[i] for i in columns}
    for span in spans(table, Panel(tuple(columns), tuple(wide.values()))):
        lone = len(span.members) == 1
        need = cell_len(span.group) + (starred(table, span.members[0]) if lone else 2)
        wide[span.members[0]] += max(0, need - (span.stop - span.start))
    return Panel(tuple(columns), tuple(wide.values()))


def _folded(
    table: Table, columns: Sequence[int], natural: Sequence[int], width: int, *, chop: bool = True
) -> list[int]:
    """Widths at which the columns fit, if possible: the widest name shrinks, one character at a time.

    Text shrinks before names do. Names shrink to their longest piece, with `chop` further.
    """
    widths = list(natural)
    names = [i for i in columns if table.columns[i].holds != "number"]
    unbroken = {
        i: max((cell_len(p) for row in table.rows for p in pieces(row.cells[i].text)), default=1)
        for i in names
    }
    prose = {i: min(_PROSE, natural[i]) for i in names if table.columns[i].holds == "text"}
    only_prose = {i: natural[i] for i in names} | prose
    for least in (only_prose, unbroken | prose, dict.fromkeys(names, _NARROWEST))[: 2 + chop]:
        while total(_panel(table, columns, widths), table) > width:
            free = [i for i in names if widths[i] > max(least[i], _NARROWEST)]
            if not free:
                break
            widths[max(free, key=lambda i: widths[i])] -= 1
    return widths


def pieces(text: str) -> list[str]:
    """The parts of a name, which may be broken before and between its parameters."""
    return [piece for piece in re.split(r"(?=\[)|(?<=[,\s])", text) if piece] or [""]


def _continued(table: Table, natural: Sequence[int], width: int) -> list[Panel]:
    """One panel if the essential columns fit, otherwise several that repeat the columns of priority 0."""
    everything = range(len(natural))
    for most in (SPARE, SPARE - 1, ESSENTIAL, 1):
        columns = [i for i in everything if table.columns[i].priority <= most]
        if total(_panel(table, columns, natural), table) <= width:
            return [_panel(table, columns, natural)]
    for most in (ESSENTIAL, 1):
        columns = [i for i in everything if table.columns[i].priority <= most]
        widths = _folded(table, columns, natural, width, chop=False)
        if total(_panel(table, columns, widths), table) <= width:
            return [_panel(table, columns, widths)]
    keys = [i for i in everything if table.columns[i].priority == 0]
    others = [i for i in everything if 0 < table.columns[i].priority < SPARE]
    # An interval stays with the value before it.
    blocks = [
        list(run)
        for _, run in groupby(others, key=lambda i: table.columns[i].group or i - table.columns[i].interval)
    ]
    # Names shrink only as far as the widest group needs.
    widest = max(blocks, key=lambda block: sum(natural[i] for i in block), default=[])
    widths = _folded(table, sorted(keys + widest), natural, width)
    panels: list[list[int]] = [keys]
    for block in blocks:
        wanted = sorted(panels[-1] + block)
        if panels[-1] != keys and total(_panel(table, wanted, widths), table) > width:
            panels.append(sorted(keys + block))
        else:
            panels[-1] = wanted
    return [_panel(table, panel, widths) for panel in panels]
