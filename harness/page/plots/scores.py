"""Every patient a dot: the scores of each entry in one structure and phase."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from harness.board.board import NO_PHASE
from harness.metrics.definitions import metric
from harness.page.plots import theme
from harness.page.plots.figure import DATA, Plot, Series, rounded
from harness.page.plots.plot_data import Ground, slug
from harness.page.plots.theme import colour
from harness.views.entry_rows import LONG, SHORT, structures, title_of

STATES = ("ok", "prediction-empty", "reference-empty")

_GOLDEN = 0.6180339887
"""Multiples of it modulo 1 are spread evenly: neighbours in a list of patients never overlap."""

_TICKS = (0, 0.6, 0.7, 0.8, 0.9, 1)
"""Where the axis is not linear, these stand far enough apart."""

_WIDTH = 585
"""With the names: two stand side by side in a window of 1280 pixels."""


def scores(ground: Ground) -> list[Plot]:
    """A figure for each metric, structure and phase, on one scale a metric."""
    figures = []
    for name in ground.metrics:
        cells = [
            (structure, phase, _series(ground, name, structure, phase))
            for structure in structures(ground.field)
            for phase in ground.field.phases
        ]
        spec = _spec(ground, name, _all_values(series for _, _, series in cells), odd=_any_odd(cells))
        for structure, phase, series in cells:
            where = structure if phase == NO_PHASE else f"{structure}, {phase}"
            key = slug("scores", name, structure, *([] if phase == NO_PHASE else [phase]))
            made = Plot("scores", key, where, spec, series, {"metric": SHORT.get(name, name)})
            if not made.empty:
                figures.append(made)
    return figures


def _series(ground: Ground, name: str, structure: str, phase: str) -> tuple[Series, ...]:
    found = []
    for result in ground.results:
        values, odd = ground.values(result.entry, (name, structure, phase))
        found.append(
            Series(
                {"value": [rounded(value) for value in values]},
                {"entry": ground.labels[result.entry]},
                by_patient=True,
                odd={"state": odd},
            )
        )
    return tuple(found)


def _all_values(cells: Iterable[Sequence[Series]]) -> list[float]:
    return sorted(
        value for series in cells for one in series for value in one.columns["value"] if value is not None
    )


def _any_odd(cells: Iterable[tuple[str, str, Sequence[Series]]]) -> bool:
    return any(one.odd["state"] for _, _, series in cells for one in series)


def scale(name: str, values: Sequence[float]) -> dict[str, Any]:
    """The axis of a metric over sorted `values`: linear, or by square roots where a few are far out."""
    up = metric(name).higher_is_better
    if not values:
        return {}
    most, usual = values[-1], values[math.floor(0.95 * (len(values) - 1))]
    if not up:
        return {"domain": [0, most or 1], "type": "sqrt" if usual and most > 4 * usual else "linear"}
    # Ratios end at 1; where a few are hopeless, the good ones still need room.
    least = values[0]
    if 1 - least > 2.5 * (1 - values[math.ceil(0.05 * (len(values) - 1))]):
        return {"domain": [least, 1], "type": "pow", "exponent": 3}
    return {"domain": [least - 0.02 * (1 - least), 1], "type": "linear"}


def _spec(ground: Ground, name: str, values: Sequence[float], *, odd: bool) -> dict[str, Any]:
    x, y = _value_axis(name, values), _entry_axis(ground)
    spread = {
        "field": "jitter",
        "type": "quantitative",
        "scale": {"domain": [-0.35, 1.35]},
        "axis": None,
    }
    shape = {
        "field": "state",
        "type": "nominal",
        "scale": {"domain": list(STATES), "range": ["circle", "cross", "triangle-up"]},
        "legend": {"title": None, "orient": "bottom", "symbolFillColor": colour("dot")} if odd else None,
    }
    quartiles = {"aggregate": [{"op": op, "field": "value", "as": op} for op in ("q1", "median", "q3")]}
    box = {**quartiles, "groupby": ["entry"]}
    jitter = {"calculate": f"(datum.at * {_GOLDEN}) % 1", "as": "jitter"}
    return theme.framed(
        {
            "data": {"name": DATA},
            "transform": [jitter],
            "width": _WIDTH,
            "autosize": theme.FIT_X,
            "height": {"step": 26 if len(ground.results) <= 12 else 22},
            "layer": [
                _band(box, x, y),
                _dots({"x": x, "y": y, "yOffset": spread, "shape": shape}, len(ground.patients)),
                _median(box, x, y),
                _selected_patient({"x": x, "y": y, "yOffset": spread, "shape": {**shape, "legend": None}}),
            ],
        }
    )


def _value_axis(name: str, values: Sequence[float]) -> dict[str, Any]:
    title = title_of(name) if name in ("dice", "hd") else f"{LONG.get(name, name)}"
    ticks: dict[str, Any] = {"title": title, "tickCount": 6}
    axis_scale = scale(name, values)
    if axis_scale.get("type") == "pow":
        ticks["values"] = [tick for tick in _TICKS if tick >= axis_scale["domain"][0]]
    return {"field": "value", "type": "quantitative", "axis": ticks, "scale": {**axis_scale, "zero": False}}


def _entry_axis(ground: Ground) -> dict[str, Any]:
    return {
        "field": "entry",
        "type": "nominal",
        "sort": ground.names,
        "title": None,
        "scale": {"domain": ground.names},
        "axis": {
            "ticks": False,
            "domain": False,
            "grid": True,
            "labelPadding": 8,
            "tickBand": "extent",
            **ground.shortened,
        },
    }


def _band(box: dict[str, Any], x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    """From the lower to the upper quartile."""
    return {
        "transform": [box],
        "mark": {"type": "bar", "color": colour("light"), "opacity": 0.18, "height": {"band": 0.8}},
        "encoding": {"x": {**x, "field": "q1"}, "x2": {"field": "q3"}, "y": y},
    }


def _dots(encoding: dict[str, Any], patients: int) -> dict[str, Any]:
    """A dot for each patient, larger where a structure was missed or invented."""
    size = 45 if patients <= 20 else 26 if patients <= 60 else 12
    missed = {"condition": {"test": "datum.state !== 'ok'", "value": size + 40}, "value": size}
    opacity = 0.6 if patients <= 60 else 0.4
    return {
        "mark": {"type": "point", "filled": True, "color": colour("dot"), "opacity": opacity},
        "encoding": {**encoding, "size": missed},
    }


def _median(box: dict[str, Any], x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    return {
        "transform": [box],
        "mark": {
            "type": "tick",
            "color": colour("ink"),
            "thickness": 2.5,
            "height": {"band": 0.8},
            "orient": "vertical",
        },
        "encoding": {"x": {**x, "field": "median"}, "y": y},
    }


def _selected_patient(encoding: dict[str, Any]) -> dict[str, Any]:
    return {
        "transform": [{"filter": "datum.patient === patient"}],
        "mark": {
            "type": "point",
            "filled": True,
            "color": colour("lit"),
            "stroke": colour("paper"),
            "strokeWidth": 1.2,
            "size": 110,
            "opacity": 1,
        },
        "encoding": encoding,
    }
