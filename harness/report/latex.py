"""Tables as LaTeX, for a paper: booktabs, best values bold, notes below."""

from __future__ import annotations

import re
from itertools import groupby

from harness.report.arrange import limit
from harness.report.table import Table

PAPER = 3
"""Columns of a higher priority than this don't go into a paper unless they are asked for."""

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

    Of columns that nobody asked for, those that matter most: a page is not as wide as a screen. What is
    wider than the page all the same is made smaller.
    """
    table = limit(table, [i for i, column in enumerate(table.columns) if column.priority <= PAPER])
    kinds = "".join("r" if column.holds == "number" else "l" for column in table.columns)
    lines = [
        r"% needs \usepackage{booktabs,graphicx}",
        r"\begin{table}",
        r"\centering",
        r"\footnotesize",
        r"\setlength{\tabcolsep}{3.5pt}",
        rf"\caption{{{escape(table.title)}}}",
        rf"\label{{tab:{_slug(table.title)}}}",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{kinds}}}",
        r"\toprule",
        *_header(table),
        r"\midrule",
    ]
    headed = dict(table.sections)
    for kind, rows in groupby(table.rows, key=lambda row: row.kind):
        if kind in headed:
            lines += [r"\midrule", rf"\multicolumn{{{len(kinds)}}}{{l}}{{{escape(headed[kind])}}} \\"]
        for row in rows:
            cells = (rf"\textbf{{{escape(c.text)}}}" if c.best else escape(c.text) for c in row.cells)
            lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}}", *_notes(table), r"\end{table}"]
    return "\n".join(lines) + "\n"


def _slug(title: str) -> str:
    """The title without how ranks were made, as a label may be."""
    return re.sub(r"[^a-z0-9]+", "-", title.partition(", ranked by")[0].lower()).strip("-")


def _notes(table: Table) -> list[str]:
    """The captions as one paragraph; stars are bold here."""
    if not table.caption:
        return []
    said = (f"Bold: {line[2:]}" if line.startswith("* ") else line for line in table.caption)
    return [
        "",
        r"\smallskip",
        r"\begin{minipage}{\linewidth}\raggedright\scriptsize",
        *map(escape, said),
        r"\end{minipage}",
    ]


def escape(text: str) -> str:
    """Text that LaTeX prints as it stands."""
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
