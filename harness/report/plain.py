"""Tables for other programs: CSV, and HTML to paste into a page."""

from __future__ import annotations

import csv
import html
import io

from harness.report.arrange import heading
from harness.report.clean import clean
from harness.report.table import Table


def to_csv(table: Table) -> str:
    """The table as it is shown, a line a row; numbers in full precision."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([heading(column) for column in table.columns])
    for row in table.rows:
        writer.writerow([cell.text if cell.value is None else cell.value for cell in row.cells])
    return file.getvalue()


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
