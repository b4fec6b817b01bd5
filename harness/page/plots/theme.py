"""Colours and fonts. Colours are Vega parameters, so that dark mode needs no redrawing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

COLOURS: Mapping[str, str] = {
    "ink": "#1c2430",
    "dim": "#5b6675",
    "line": "#d5dae1",
    "dot": "#3b6fb6",
    "light": "#3b6fb6",
    "lit": "#d9480f",
    "paper": "#ffffff",
}
"""Values on a white page; the page overrides them in dark mode."""

PALETTE = (
    "#4477aa",
    "#d9720c",
    "#2f9e6e",
    "#c2488f",
    "#8a6fd1",
    "#a07a1a",
    "#2196b6",
    "#d0444c",
    "#6b8e23",
    "#7d8590",
)
"""Of medium lightness: legible on white and on black."""

DASHES = ((1, 0), (5, 3), (1.5, 2.5), (8, 2, 2, 2))

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")

FONT = "Arial, Helvetica, 'Liberation Sans', sans-serif"
"""These have the same widths, so that a picture's labels fit wherever it is opened."""


FIT = {"type": "fit", "contains": "padding"}
FIT_X = {"type": "fit-x", "contains": "padding"}
"""A width that counts names and titles, so that plots stand in columns."""


def colour(name: str) -> dict[str, str]:
    """A reference to one of `COLOURS`."""
    return {"expr": name}


def framed(spec: Mapping[str, Any], **params: Any) -> dict[str, Any]:
    """`spec` with the colours, the lit patient and entry, and `params` as parameters, and our type."""
    values = {**COLOURS, "patient": None, "entry": None, **params}
    text = {"labelColor": colour("ink"), "titleColor": colour("dim")}
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        **spec,
        "params": [{"name": name, "value": value} for name, value in values.items()],
        "background": None,
        "padding": 6,
        "config": {
            "font": FONT,
            "view": {"stroke": None},
            "axis": {
                **text,
                "labelFontSize": 12,
                "titleFontSize": 12,
                "titleFontWeight": "normal",
                "gridColor": colour("line"),
                "domainColor": colour("line"),
                "tickColor": colour("line"),
                "labelLimit": 230,
            },
            "legend": {**text, "labelFontSize": 12, "titleFontSize": 12, "labelLimit": 230},
            "title": {"color": colour("ink"), "fontSize": 13, "anchor": "start", "fontWeight": 600},
            "header": text,
        },
    }
