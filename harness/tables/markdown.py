"""Tables as Markdown: all columns, best values in bold with a star."""

from __future__ import annotations

from harness.tables.clean import markdown_code, markdown_text
from harness.tables.table import Column, Table, TableCell


def to_markdown(table: Table, *, level: int = 2) -> str:
    """A heading, a pipe table and its caption as a list. `level` is the heading's."""
    header = [markdown_text(f"{column.group} {column.title}".strip()) for column in table.columns]
    rule = ["---:" if column.holds == "number" else ":---" for column in table.columns]
    rows = [
        [_cell(cell, column) for cell, column in zip(row.cells, table.columns, strict=True)]
        for row in table.rows
    ]
    lines = [f"{'#' * level} {markdown_text(table.title)}", ""]
    lines += ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]
    if table.caption:
        lines += ["", *(f"- {markdown_text(line)}" for line in table.caption)]
    return "\n".join(lines) + "\n"


def _cell(cell: TableCell, column: Column) -> str:
    if cell.best:
        return f"**{markdown_text(cell.text)}**\\*"
    if column.holds == "name":
        return markdown_code(cell.text)
    return markdown_text(cell.text)
