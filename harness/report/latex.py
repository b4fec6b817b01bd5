"""Tables as LaTeX, for a paper: booktabs, best values bold."""

from __future__ import annotations

from itertools import groupby

from harness.report.table import Table

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
    }
)


def to_latex(table: Table) -> str:
    """A ``table`` environment with a ``tabular``; needs the package booktabs."""
    kinds = "".join("r" if column.holds == "number" else "l" for column in table.columns)
    lines = [
        "% needs \\usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{escape(table.title)}}}",
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
    lines += [r"\bottomrule", r"\end{tabular}", *(f"% {line}" for line in table.caption), r"\end{table}"]
    return "\n".join(lines) + "\n"


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
