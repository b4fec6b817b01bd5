"""Tables on a terminal, with rich: only names and captions wrap, and colour is never the only mark."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from harness.tables.clean import clean
from harness.tables.column_layout import Panel, fit, fold, gaps, spans, starred, total
from harness.tables.table import Kind, Row, Table

STAR = "*"
"""Follows the best values, which are thus marked without colour or bold too."""

_STYLE = {"ranked": "", "unranked": "yellow", "published": "dim"}
_TONE = {
    "": "",
    "good": "green",
    "info": "cyan",
    "warning": "yellow",
    "bad": "bold red",
    "faint": "dim",
    "strong": "bold",
}
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?")
_ASCII = str.maketrans("—–─·−×±→…▶✗■‖✓", "---|-x~>.>x#=+")


@dataclass(frozen=True)
class TerminalTable:
    """A rich renderable that lays a table out for the given width."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in _lines(self.table, options.max_width):
            yield _ascii(line) if options.ascii_only else line


def to_terminal(tables: Iterable[Table]) -> RenderableType:
    """A renderable for `rich.console.Console.print`: the tables, separated by blank lines."""
    parts: list[RenderableType] = []
    for table in tables:
        parts += [Text(""), TerminalTable(table)] if parts else [TerminalTable(table)]
    return Group(*parts)


def to_text(tables: Iterable[Table], width: int) -> str:
    """The tables as plain text, at most `width` characters wide."""
    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(to_terminal(tables))
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _lines(table: Table, width: int) -> Iterable[Text]:
    titles = [column.title + " " * starred(table, i) for i, column in enumerate(table.columns)]
    texts, panels, dropped = _fitted(table, titles, width)
    if any(cell.short for row in table.rows for cell in row.cells):
        layouts = ((texts, panels, dropped), _fitted(_shortened(table), titles, width))
        texts, panels, dropped = min(layouts, key=lambda layout: (len(layout[2]), _narrowed(*layout[:2])))
    yield Text(clean(table.title), style="bold")
    for number, panel in enumerate(panels):
        if number:
            yield Text("")
        yield from _panel(table, titles, texts, panel)
    for caption in (*table.caption, *_dropped(table, dropped)):
        yield Text(clean(caption), style="dim")


def _fitted(
    table: Table, titles: Sequence[str], width: int
) -> tuple[list[list[str]], list[Panel], list[int]]:
    """The texts of cells, the panels, and the columns that don't fit."""
    texts = _texts(table)
    natural = [max(map(cell_len, cells)) for cells in zip(titles, *texts, strict=True)]
    return texts, *fit(table, natural, width)


def _narrowed(texts: Sequence[Sequence[str]], panels: Sequence[Panel]) -> int:
    """How many cells are folded."""
    widths = [pair for panel in panels for pair in zip(panel.columns, panel.widths, strict=True)]
    return sum(cell_len(row[i]) > width for row in texts for i, width in widths)


def _shortened(table: Table) -> Table:
    rows = (
        replace(row, cells=tuple(replace(cell, text=cell.short or cell.text) for cell in row.cells))
        for row in table.rows
    )
    return replace(table, rows=tuple(rows))


def _texts(table: Table) -> list[list[str]]:
    """Cells as printed: cleaned, starred, and aligned at the decimal point."""
    columns = [_aligned(table, index) for index in range(len(table.columns))]
    return [list(row) for row in zip(*columns, strict=True)]


def _aligned(table: Table, index: int) -> list[str]:
    cells = [row.cells[index] for row in table.rows]
    texts = [clean(cell.text) for cell in cells]
    if table.columns[index].holds != "number":
        return texts
    decimals = [len(t.partition(".")[2]) + ("." in t) if _NUMBER.fullmatch(t) else 0 for t in texts]
    most = max(decimals, default=0)
    star = starred(table, index)
    aligned = []
    for text, digits, cell in zip(texts, decimals, cells, strict=True):
        room = most - digits if _NUMBER.fullmatch(text) else 0
        aligned.append(text + (STAR if cell.best else " ") * star + " " * room)
    return aligned


def _panel(
    table: Table, titles: Sequence[str], texts: Sequence[Sequence[str]], panel: Panel
) -> Iterable[Text]:
    rule = "─" * total(panel, table)
    upper = _upper(table, panel)
    if upper:
        yield Text(upper, style="bold", no_wrap=True)
    yield _join(table, panel, [Text(titles[i]) for i in panel.columns], "bold")
    yield Text(rule, style="dim", no_wrap=True)
    sections = dict(table.sections)
    kind: Kind = table.rows[0].kind if table.rows else "ranked"
    for row, cells in zip(table.rows, texts, strict=True):
        if row.kind != kind:
            kind = row.kind
            if kind in sections:
                yield Text(_section(sections[kind], len(rule)), style="dim", no_wrap=True)
        yield from _row(table, panel, row, cells)
    yield Text(rule, style="dim", no_wrap=True)


def _section(name: str, width: int) -> str:
    shown = clean(name)
    line = f"── {shown} "
    return line + "─" * (width - cell_len(line)) if cell_len(line) <= width else "─" * width


def _upper(table: Table, panel: Panel) -> str:
    """The upper header: titles of groups above their columns, aligned right for a single column."""
    line = ""
    for span in spans(table, panel):
        room = span.stop - span.start
        if len(span.members) > 1:
            shown = f" {span.group} ".center(room, "─")
        else:
            shown = (span.group + " " * starred(table, span.members[0])).rjust(room)
        line = line.ljust(span.start) + shown
    return line


def _row(table: Table, panel: Panel, row: Row, texts: Sequence[str]) -> Iterable[Text]:
    folded = [
        fold(texts[i], width) if table.columns[i].holds != "number" else [texts[i]]
        for i, width in zip(panel.columns, panel.widths, strict=True)
    ]
    for number in range(max(len(lines) for lines in folded)):
        cells = []
        for i, lines in zip(panel.columns, folded, strict=True):
            style = "bold green" if row.cells[i].best else _TONE[row.cells[i].tone]
            cells.append(Text(lines[number] if number < len(lines) else "", style=style))
        yield _join(table, panel, cells, _STYLE[row.kind])


def _join(table: Table, panel: Panel, cells: Sequence[Text], style: str) -> Text:
    line = Text(style=style, no_wrap=True)
    spaces = gaps(table, panel.columns)
    for i, width, space, cell in zip(panel.columns, panel.widths, spaces, cells, strict=True):
        room = " " * max(0, width - cell.cell_len)
        line.append(" " * space)
        if table.columns[i].holds != "number":
            line.append_text(cell).append(room)
        else:
            line.append(room).append_text(cell)
    return line


def _dropped(table: Table, dropped: Sequence[int]) -> list[str]:
    """A sentence on the columns that don't fit, and the views that show them."""
    if not dropped:
        return []
    views: dict[str, list[str]] = {}
    for i in dropped:
        column = table.columns[i]
        label = column.label or f"{column.group} {column.title}".strip()
        names = views.setdefault(column.view, [])
        if label not in names:
            names.append(label)
    parts = [", ".join(names) + (f" (view {view})" if view else "") for view, names in views.items()]
    return [f"Not shown at this width: {'; '.join(parts)}."]


def _ascii(line: Text) -> Text:
    plain = line.copy()
    plain.plain = line.plain.translate(_ASCII)
    return plain
