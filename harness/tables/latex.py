"""Tables as LaTeX for a paper: booktabs, best values in bold, notes below, wide tables in parts."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import groupby

from rich.cells import cell_len

from harness.tables.arrange import limit
from harness.tables.column_layout import fit
from harness.tables.table import Table

PAPER = 3
"""Columns with a higher priority number are omitted unless they are asked for."""

WIDTH = 76
"""Characters of 8 pt, including spaces between columns, on a line of an article."""

_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "−": "$-$",
        "±": r"$\pm$",
        "—": "---",
        "–": "--",
        "→": r"$\rightarrow$",
        "×": r"$\times$",
        "≤": r"$\leq$",
        "<": "$<$",
        ">": "$>$",
        "|": "$|$",
    }
)


def to_latex(table: Table) -> str:
    """A ``table`` environment with a ``tabular`` and its notes; needs the packages booktabs and graphicx.

    Columns of low priority are omitted unless they are asked for, as a page is narrower than a screen.
    Tables with panels are split into parts that fit the page, each an environment with the names; the
    last one has the notes. A table that is still too wide is scaled down.
    """
    table = limit(table, [i for i, column in enumerate(table.columns) if column.priority <= PAPER])
    parts = _parts(table) if table.panels else [table]
    texts = []
    for number, part in enumerate(parts, 1):
        title, label = escape(table.title), _slug(table.title)
        if len(parts) > 1:
            title, label = f"{title}, part {number} of {len(parts)}", f"{label}-{number}"
        notes = _notes(table) if number == len(parts) else []
        texts.append("\n".join(_environment(part, title, label, notes)) + "\n")
    return "\n".join(texts)


def _parts(table: Table) -> list[Table]:
    """The panels of a page, as on a terminal, but without folded names."""
    rigid = replace(table, columns=tuple(replace(column, holds="number") for column in table.columns))
    natural = [
        max(cell_len(text) for text in (column.title, *(row.cells[i].text for row in table.rows)))
        for i, column in enumerate(table.columns)
    ]
    panels, _ = fit(rigid, natural, WIDTH)
    return [limit(table, panel.columns) for panel in panels]


def _environment(table: Table, title: str, label: str, notes: list[str]) -> list[str]:
    kinds = "".join("r" if column.holds == "number" else "l" for column in table.columns)
    lines = [
        r"% needs \usepackage{booktabs,graphicx}",
        r"\begin{table}",
        r"\centering",
        r"\footnotesize",
        r"\setlength{\tabcolsep}{3.5pt}",
        rf"\caption{{{title}}}",
        rf"\label{{tab:{label}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        *_header(table),
        r"\midrule",
    ]
    headed = dict(table.sections)
    for kind, rows in groupby(table.rows, key=lambda row: row.kind):
        if kind in headed:
            # The header already ends with a rule.
            rule = [r"\midrule"] if lines[-1] != r"\midrule" else []
            lines += [*rule, rf"\multicolumn{{{len(kinds)}}}{{l}}{{{escape(headed[kind])}}} \\"]
        for row in rows:
            cells = (rf"\textbf{{{escape(c.text)}}}" if c.best else escape(c.text) for c in row.cells)
            lines.append(" & ".join(cells) + r" \\")
    return [*lines, r"\bottomrule", r"\end{tabular}}", *notes, r"\end{table}"]


def _slug(title: str) -> str:
    """The title as a label, without the ranking method."""
    return re.sub(r"[^a-z0-9]+", "-", title.partition(", ranked by")[0].lower()).strip("-")


def _notes(table: Table) -> list[str]:
    """The captions as one paragraph; the star is explained as bold."""
    if not table.caption:
        return []
    sentences = (f"Bold: {line[2:]}" if line.startswith("* ") else line for line in table.caption)
    return [
        "",
        r"\smallskip",
        r"\begin{minipage}{\linewidth}\raggedright\scriptsize",
        *map(escape, sentences),
        r"\end{minipage}",
    ]


def escape(text: str) -> str:
    """`text` escaped for LaTeX."""
    return " ".join(text.split()).translate(_SPECIAL)


def _header(table: Table) -> list[str]:
    titles = " & ".join(escape(column.title) for column in table.columns) + r" \\"
    if not any(column.group for column in table.columns):
        return [titles]
    cells, rules, place = [], [], 1
    for group, members in groupby(table.columns, key=lambda column: column.group):
        width = len(list(members))
        cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escape(group)}}}" if group else " & " * (width - 1))
        if group:
            rules.append(rf"\cmidrule(lr){{{place}-{place + width - 1}}}")
        place += width
    return [" & ".join(cells) + r" \\", " ".join(rules), titles]
