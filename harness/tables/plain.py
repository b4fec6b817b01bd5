"""Tables as CSV and as HTML elements."""

from __future__ import annotations

import csv
import html
import io

from harness.tables.arrange import heading
from harness.tables.clean import clean
from harness.tables.table import MISSING, Column, Table, TableCell


def to_csv(table: Table) -> str:
    """The table as shown, a line per row; numbers in full precision and in the unit of their header.

    Intervals are two columns, ``low`` and ``high``; missing values are empty.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([name for column in table.columns for name in _names(column)])
    for row in table.rows:
        pairs = zip(row.cells, table.columns, strict=True)
        writer.writerow([value for cell, column in pairs for value in _values(cell, column)])
    return file.getvalue()


def _names(column: Column) -> list[str]:
    name = heading(column)
    return [f"{name} low", f"{name} high"] if column.interval else [name]


def _values(cell: TableCell, column: Column) -> list[float | str | None]:
    if column.interval:
        return [*(cell.limits or (None, None))]
    if cell.value is None:
        # Strip the spaces that align values.
        return [None if cell.text == MISSING else cell.text.strip()]
    # Division leaves rounding errors in the last of 17 digits.
    return [cell.value if column.factor == 1 else float(f"{cell.value / column.factor:.12g}")]


def to_html(table: Table) -> str:
    """One ``table`` element with its caption; best values are strong and have a star."""

    def text(value: str) -> str:
        return html.escape(clean(value))

    head = "".join(f'<th scope="col">{text(heading(column))}</th>' for column in table.columns)
    rows = []
    for row in table.rows:
        cells = (
            f"<td><strong>{text(cell.text)}*</strong></td>" if cell.best else f"<td>{text(cell.text)}</td>"
            for cell in row.cells
        )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    notes = "".join(f"<br>{text(line)}" for line in table.caption)
    caption = f"<caption>{text(table.title)}{notes}</caption>"
    body = "\n".join(rows)
    return f"<table>\n{caption}\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"
