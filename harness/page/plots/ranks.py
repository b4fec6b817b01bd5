"""The stability of the ranking under the bootstrap, and which differences are significant."""

from __future__ import annotations

from typing import Any

from harness.board.board import Significance
from harness.page.plots import theme
from harness.page.plots.figure import DATA, Plot, Series, rounded
from harness.page.plots.plot_data import Ground, slug
from harness.page.plots.theme import colour
from harness.views.compare import p_text
from harness.views.entry_rows import SHORT

LEVELS = ("p ≤ 0.001", "p ≤ 0.01", "p ≤ 0.05", "not significant")

_LIMITS = (0.001, 0.01, 0.05)


def ranks(ground: Ground) -> list[Plot]:
    """Bubbles whose area is the share of bootstrap samples in which an entry takes a rank."""
    ranked = [result for result in ground.results if result.rank_shares and result.rank_interval]
    if len(ranked) < 2:
        return []
    series = []
    for result in ranked:
        low, high = result.rank_interval or (0, 0)
        shares = sorted(result.rank_shares.items())
        series.append(
            Series(
                {"rank": [rank for rank, _ in shares], "share": [rounded(share, 3) for _, share in shares]},
                {
                    "entry": ground.labels[result.entry],
                    "low": low,
                    "high": high,
                    "own": result.rank or 0,
                    "of": result.group or "",
                },
            )
        )
    names = [ground.labels[result.entry] for result in ranked]
    last = max(rank for result in ranked for rank in result.rank_shares)
    return [Plot("ranks", "ranks", "Ranks in bootstrap samples", _ranks(ground, names, last), tuple(series))]


def _ranks(ground: Ground, names: list[str], last: int) -> dict[str, Any]:
    # Rows at least as high as a bubble that is always at one rank.
    step = 30 if len(names) <= 12 else 24
    scale = {"domain": [0.5, last + 0.5], "nice": False, "zero": False}
    axis = {"values": list(range(1, last + 1)), "format": "d", "title": "rank", "grid": True}
    y = {
        "field": "entry",
        "type": "nominal",
        "sort": names,
        "title": None,
        "axis": {"ticks": False, "domain": False, "labelPadding": 8, **ground.shortened},
    }

    def rank(field: str) -> dict[str, Any]:
        return {"type": "quantitative", "scale": scale, "field": field, "axis": axis}

    an_entry_a_row = {"aggregate": [{"op": "min", "field": f, "as": f} for f in ("low", "high", "own")]}
    entries = [{**an_entry_a_row, "groupby": ["entry"]}]
    return theme.framed(
        {
            "data": {"name": DATA},
            "width": max(200, min(560, 46 * last)),
            "height": {"step": step},
            "layer": [
                {
                    "transform": entries,
                    "mark": {"type": "rule", "strokeWidth": 2, "color": colour("dim")},
                    "encoding": {"x": rank("low"), "x2": {"field": "high"}, "y": y},
                },
                {
                    "mark": {"type": "circle", "color": colour("dot"), "opacity": 0.75},
                    "encoding": {"x": rank("rank"), "y": y, "size": _bubble_size(step)},
                },
                {"transform": entries, "mark": _OWN_RANK, "encoding": {"x": rank("own"), "y": y}},
            ],
        }
    )


_OWN_RANK = {
    "type": "tick",
    "orient": "vertical",
    "thickness": 2.5,
    "height": {"band": 0.6},
    "color": colour("ink"),
}
"""The mark of the rank in the table."""


def _bubble_size(step: int) -> dict[str, Any]:
    """The area of a bubble is proportional to the share of samples; the largest fills a row."""
    return {
        "type": "quantitative",
        "field": "share",
        "scale": {"domain": [0, 1], "range": [0, step * 16]},
        "legend": {
            "title": "share of samples",
            "format": ".0%",
            "values": [0.1, 0.5, 1],
            "symbolFillColor": colour("dot"),
            "symbolStrokeWidth": 0,
        },
    }


def tests(ground: Ground) -> list[Plot]:
    """For each metric that ranks: whether the entry of the row is better than that of the column."""
    figures = []
    for name, found in ground.field.significance.items():
        known = [i for i, entry in enumerate(found.entries) if entry in ground.labels]
        if len(known) < 2:
            continue
        labels = [ground.labels[found.entries[i]] for i in known]
        title = f"Significance in {SHORT.get(name, name)}"
        rows = _numbered([ground.short(label) for label in labels])
        made = _series(found, known, labels, rows)
        figures.append(
            Plot("tests", slug("tests", name), title, _tests(rows), made, {"metric": SHORT.get(name, name)})
        )
    return figures


def _series(found: Significance, known: list[int], labels: list[str], rows: list[str]) -> tuple[Series, ...]:
    series = []
    for i, label, row_label in zip(known, labels, rows, strict=True):
        row = [found.p[i][j] for j in known]
        level = [None if p is None else sum(p > limit for limit in _LIMITS) for p in row]
        series.append(
            Series(
                {"column": list(range(len(known))), "p": [rounded(p, 3) for p in row], "level": level},
                {"entry": label, "row": row_label},
                odd={"said": {k: p_text(p) for k, p in enumerate(row) if p is not None}},
            )
        )
    return tuple(series)


def _numbered(labels: list[str]) -> list[str]:
    """Rows start with their number, by which columns, too narrow for names, refer to them."""
    return [f"{number}  {label}" for number, label in enumerate(labels, start=1)]


def _tests(rows: list[str]) -> dict[str, Any]:
    few = len(rows) <= 12
    step = 40 if few else 24
    return theme.framed(
        {
            "data": {"name": DATA},
            "transform": [
                {"calculate": "datum.column + 1", "as": "than"},
                {"calculate": "['***', '**', '*', ''][datum.level]", "as": "mark"},
            ],
            "width": {"step": step},
            "height": {"step": step if few else 24},
            "encoding": {
                "x": {
                    "field": "than",
                    "type": "ordinal",
                    "title": "is better than number",
                    "scale": {"domain": list(range(1, len(rows) + 1))},
                    "axis": {"orient": "top", "labelAngle": 0, "ticks": False, "domain": False},
                },
                "y": {
                    "field": "row",
                    "type": "nominal",
                    "sort": rows,
                    "title": None,
                    "scale": {"domain": rows},
                    "axis": {"ticks": False, "domain": False, "labelPadding": 8},
                },
            },
            "layer": [
                {
                    "mark": {
                        "type": "rect",
                        "color": colour("dot"),
                        "stroke": colour("line"),
                        "strokeWidth": 1,
                    },
                    "encoding": {"opacity": _LEVEL_OPACITY},
                },
                {
                    "mark": {"type": "text", "fontSize": 11, "color": colour("ink"), "baseline": "middle"},
                    "encoding": {"text": {"field": "said" if few else "mark"}},
                },
            ],
        }
    )


# Opacity of one colour stays readable in the dark; a mark in the cell says the same without colour.
_LEVEL_OPACITY = {
    "field": "level",
    "type": "ordinal",
    "scale": {"type": "ordinal", "domain": [0, 1, 2, 3], "range": [0.75, 0.5, 0.28, 0.05]},
    "legend": {
        "title": None,
        "orient": "bottom",
        "labelExpr": f"{list(LEVELS)}[datum.value]",
        "symbolType": "square",
        "symbolFillColor": colour("dot"),
        "symbolStrokeWidth": 0,
        "symbolSize": 180,
    },
}
