"""Learning curves: validation Dice and training loss by epoch, a line a run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from harness.page.plots import theme
from harness.page.plots.figure import DATA, Plot, Series, rounded
from harness.page.plots.plot_data import Ground, slug
from harness.tables.clean import clean

MOST = 120
"""Epochs of a run that are drawn; of longer ones, so many, evenly spread."""


def learning(ground: Ground) -> list[Plot]:
    """One figure of validation Dice; of training losses one for each loss, for they share no unit."""
    figures = [_figure(ground, "validation_dice", "Validation Dice", "validation Dice", "")]
    for loss in dict.fromkeys(result.entry.loss for result in ground.results):
        figures.append(_figure(ground, "loss", f"Training loss: {clean(loss)}", "loss", loss))
    return [figure for figure in figures if not figure.empty]


def _figure(ground: Ground, field: str, title: str, axis: str, loss: str) -> Plot:
    series = [
        one
        for result in ground.results
        for one in _runs(ground, result, field)
        if not loss or result.entry.loss == loss
    ]
    key = slug("learning", *([loss] if loss else ["validation-dice"]))
    names = [name for name in ground.names if any(one.same["entry"] == name for one in series)]
    few = max((len(one.columns["epoch"]) for one in series), default=0) <= 30
    return Plot("learning", key, title, _spec(ground, names, axis, few=few), tuple(series))


def _runs(ground: Ground, result: Any, field: str) -> list[Series]:
    found = []
    for record in sorted(result.records, key=lambda r: (r.spec.seed, r.spec.fold, r.run_id)):
        points = [
            (epoch.epoch, float(value))
            for epoch in record.history
            if (value := getattr(epoch, field)) is not None and math.isfinite(value)
        ]
        if points:
            kept = thinned(points)
            found.append(
                Series(
                    {"epoch": [e for e, _ in kept], "value": [rounded(v, 4) for _, v in kept]},
                    {
                        "entry": ground.labels[result.entry],
                        "run": f"seed {record.spec.seed}, fold {record.spec.fold}",
                    },
                )
            )
    return found


def thinned(points: Sequence[tuple[float, float]], most: int = MOST) -> list[tuple[float, float]]:
    """At most `most` of the points, evenly spread, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    return [points[round(i * (len(points) - 1) / (most - 1))] for i in range(most)]


def _spec(ground: Ground, names: Sequence[str], axis: str, *, few: bool) -> dict[str, Any]:
    places = [ground.names.index(name) for name in names]
    colours = [theme.PALETTE[i % len(theme.PALETTE)] for i in places]
    dashes = [list(theme.DASHES[i // len(theme.PALETTE) % len(theme.DASHES)]) for i in places]
    # Of ten entries and more, several share a colour; their dashes differ.
    legend = {
        "title": None,
        "orient": "right",
        "symbolType": "stroke",
        "symbolSize": 300,
        "rowPadding": 1,
        **ground.shortened,
    }
    entry = {"field": "entry", "type": "nominal", "legend": legend}
    lit = {"condition": {"test": "entry === null || entry === datum.entry", "value": 0.95}, "value": 0.15}
    return theme.framed(
        {
            "data": {"name": DATA},
            "width": 310,
            "height": 260,
            "mark": {"type": "line", "strokeWidth": 1.6, **({"point": {"size": 14}} if few else {})},
            "encoding": {
                "x": {
                    "field": "epoch",
                    "type": "quantitative",
                    "title": "epoch",
                    "axis": {"tickMinStep": 1, "grid": False, "format": "d"},
                    "scale": {"zero": False, "nice": False},
                },
                "y": {
                    "field": "value",
                    "type": "quantitative",
                    "title": axis,
                    "scale": {"zero": False},
                    "axis": {"tickCount": 6},
                },
                "detail": {"field": "run"},
                "opacity": lit,
                "color": {**entry, "scale": {"domain": list(names), "range": colours}},
                "strokeDash": {**entry, "scale": {"domain": list(names), "range": dashes}},
            },
        }
    )
