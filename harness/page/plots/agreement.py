"""Clinical indices of each patient against the reference: correlation, and Bland and Altman's plot.

Bland and Altman, Lancet 327, 1986: the difference (measured minus reference) over the mean of both,
with its mean (bias) and the limits of agreement, bias ± 1.96 standard deviations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.board.board import ClinicalPair, Result
from harness.board.clinical import agreements
from harness.metrics.clinical import UNITS, Agreement
from harness.page.plots import theme
from harness.page.plots.figure import DATA, Plot, Series, rounded
from harness.page.plots.plot_data import Ground, slug
from harness.page.plots.theme import colour
from harness.tables.table import MISSING
from harness.views.clinical import TITLES

_WIDTH, _HEIGHT = 288, 288
"""Two pairs stand side by side in a window of 1280 pixels."""

_FRAME = {"width": _WIDTH, "height": _HEIGHT, "autosize": theme.FIT}


def agreement(ground: Ground) -> list[Plot]:
    """Two figures for each entry and index, on the same scales for all entries."""
    figures = []
    groups = list(dict.fromkeys(patient.row["group"] for patient in ground.patients))
    for index, unit in UNITS.items():
        pairs = {result.entry: _of(result, index) for result in ground.results}
        limits = _limits(pair for found in pairs.values() for pair in found)
        if limits is None:
            continue
        for result in ground.results:
            if not pairs[result.entry]:
                continue
            label = ground.labels[result.entry]
            series = _series(ground, pairs[result.entry], label)
            found = agreements(result.clinical)[index]
            title = f"{TITLES[index]} ({unit})"
            choice = {"agreement entry": label}
            place = slug("agreement", f"{ground.names.index(label) + 1:02d}", label)
            lines = {"bias": found.bias, "lower": found.lower, "upper": found.upper}
            lines = {name: rounded(value) for name, value in lines.items()}
            figures += [
                Plot(
                    "agreement",
                    f"{place}-{index}-correlation",
                    f"{title}: correlation",
                    _correlation(unit, limits[0], groups),
                    (series,),
                    choice,
                    _said_correlation(found),
                ),
                Plot(
                    "agreement",
                    f"{place}-{index}-bland-altman",
                    f"{title}: Bland–Altman",
                    _bland_altman(unit, limits, groups),
                    (
                        series,
                        Series({"bias": [lines["bias"]]}, {"line": "bias"}),
                        Series({"limit": [lines["lower"], lines["upper"]]}, {"line": "limits"}),
                    ),
                    choice,
                    _said_bias(found, unit),
                ),
            ]
    return figures


def _of(result: Result, index: str) -> list[ClinicalPair]:
    return [
        pair
        for pair in result.clinical
        if pair.index == index and pair.reference is not None and pair.measured is not None
    ]


def _series(ground: Ground, pairs: Sequence[ClinicalPair], label: str) -> Series:
    found = {pair.patient: pair for pair in pairs}
    own = [found.get(patient.name) for patient in ground.patients]
    return Series(
        {
            "reference": [None if pair is None else rounded(pair.reference) for pair in own],
            "measured": [None if pair is None else rounded(pair.measured) for pair in own],
        },
        {"entry": label},
        by_patient=True,
    )


def _limits(pairs: Any) -> tuple[tuple[float, float], float] | None:
    """The range of values and the largest difference, with some room; None where nothing was measured."""
    known = [(pair.reference, pair.measured) for pair in pairs]
    if not known:
        return None
    values = [value for pair in known for value in pair]
    room = 0.04 * (max(values) - min(values)) or 1.0
    most = max(abs(measured - reference) for reference, measured in known)
    return (rounded(min(values) - room) or 0.0, rounded(max(values) + room) or 0.0), rounded(
        1.1 * most
    ) or 1.0


def _marks(groups: Sequence[str]) -> dict[str, Any]:
    """Groups by colour and by shape; a single group needs neither."""
    if len(groups) < 2:
        return {}
    colours = [theme.PALETTE[i % len(theme.PALETTE)] for i in range(len(groups))]
    shapes = [theme.SHAPES[i % len(theme.SHAPES)] for i in range(len(groups))]
    legend = {"title": None, "orient": "bottom", "columns": 5, "columnPadding": 6}
    group = {"field": "group", "type": "nominal"}
    return {
        "color": {**group, "scale": {"domain": list(groups), "range": colours}, "legend": legend},
        "shape": {**group, "scale": {"domain": list(groups), "range": shapes}, "legend": legend},
    }


def _dots(x: dict[str, Any], y: dict[str, Any], groups: Sequence[str]) -> list[dict[str, Any]]:
    dot = {"type": "point", "filled": True, "size": 42, "opacity": 0.8}
    plain = {} if len(groups) > 1 else {"color": colour("dot")}
    lit = {
        **dot,
        "color": colour("lit"),
        "stroke": colour("paper"),
        "strokeWidth": 1.2,
        "size": 130,
        "opacity": 1,
    }
    return [
        {
            "transform": [{"filter": "isValid(datum.patient)"}],
            "mark": {**dot, **plain},
            "encoding": {"x": x, "y": y, **_marks(groups)},
        },
        {
            "transform": [{"filter": "isValid(datum.patient) && datum.patient === patient"}],
            "mark": lit,
            "encoding": {"x": x, "y": y},
        },
    ]


def _axis(field: str, title: str, domain: Sequence[float]) -> dict[str, Any]:
    scale = {"domain": list(domain), "nice": False, "zero": False}
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "scale": scale,
        "axis": {"tickCount": 5},
    }


def _correlation(unit: str, limits: tuple[float, float], groups: Sequence[str]) -> dict[str, Any]:
    x = _axis("reference", f"reference, {unit}", limits)
    y = _axis("measured", f"measured, {unit}", limits)
    low, high = limits
    equal = {
        "data": {"values": [{"reference": low, "measured": low}, {"reference": high, "measured": high}]},
        "mark": {"type": "line", "color": colour("dim"), "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": {"x": x, "y": y},
    }
    return theme.framed({"data": {"name": DATA}, **_FRAME, "layer": [equal, *_dots(x, y, groups)]})


def _bland_altman(
    unit: str, limits: tuple[tuple[float, float], float], groups: Sequence[str]
) -> dict[str, Any]:
    domain, most = limits
    x = _axis("mean", f"mean of both, {unit}", domain)
    y = _axis("difference", f"measured − reference, {unit}", (-most, most))

    def line(field: str, dash: list[float], width: float, stroke: str) -> dict[str, Any]:
        return {
            "transform": [{"filter": f"isValid(datum.{field})"}],
            "mark": {"type": "rule", "color": colour(stroke), "strokeDash": dash, "strokeWidth": width},
            "encoding": {"y": {**y, "field": field}},
        }

    zero = {
        "data": {"values": [{"difference": 0}]},
        "mark": {"type": "rule", "color": colour("line"), "strokeWidth": 1},
        "encoding": {"y": y},
    }
    return theme.framed(
        {
            "data": {"name": DATA},
            "transform": [
                {"calculate": "datum.measured - datum.reference", "as": "difference"},
                {"calculate": "(datum.measured + datum.reference) / 2", "as": "mean"},
            ],
            **_FRAME,
            "layer": [
                zero,
                line("bias", [1, 0], 1.6, "ink"),
                line("limit", [5, 4], 1.2, "dim"),
                *_dots(x, y, groups),
            ],
        }
    )


def _said_correlation(found: Agreement) -> str:
    r = MISSING if found.r is None else f"{found.r:.3f}"
    left_out = f"; {found.excluded} without a value on one side" if found.excluded else ""
    return f"r = {r}, {found.n} patients{left_out}. Dashed: equality."


def _said_bias(found: Agreement, unit: str) -> str:
    if found.bias is None:
        return ""
    said = f"Bias {_signed(found.bias)} {unit}"
    if found.lower is None or found.upper is None:
        return f"{said}."
    return f"{said}; limits of agreement {_signed(found.lower)} to {_signed(found.upper)} {unit} (dashed)."


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")
