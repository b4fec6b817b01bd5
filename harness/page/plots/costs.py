"""Accuracy against time and memory, with the Pareto front."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.board.board import Result
from harness.board.cost import moved_by_others
from harness.board.published import Published
from harness.metrics.definitions import metric
from harness.page.plots import theme
from harness.page.plots.figure import DATA, Plot, Series, rounded
from harness.page.plots.plot_data import Ground, slug
from harness.page.plots.theme import colour
from harness.tables.clean import clean
from harness.tables.units import Scale, memory_scale, time_scale
from harness.views.entry_rows import SHORT, title_of
from harness.views.summary import summary_metrics

COSTS: Mapping[str, str] = {
    "train_s": "training time",
    "predict_s_median": "prediction of one volume",
    "gpu_train_mib": "GPU memory in training",
    "gpu_predict_mib": "GPU memory in prediction",
    "host_mib": "host memory",
}
"""Fields of `Cost` and what they are."""

TIMES = ("train_s", "predict_s_median")

_WIDTH = 420

_NAMED = 8
"""Points of at most so many entries are labelled with names, those of more with ranks."""


@dataclass(frozen=True)
class Point:
    """An entry's cost, its mean with the ends of its interval, and the hardware that it ran on."""

    label: str
    cost: float
    mean: float
    limits: tuple[float, float] | None = None
    hardware: str = ""
    rank: str = ""


def costs(ground: Ground, published: Sequence[Published] = ()) -> list[Plot]:
    """A figure for each metric of the summary and each cost that was measured."""
    figures = []
    for name in summary_metrics(ground.board):
        for field, title in COSTS.items():
            points = [
                point
                for result in ground.results
                if (point := _point(ground, result, name, field)) is not None
            ]
            if not points:
                continue
            beside = _published(published, name, field)
            both = [point.cost for point in (*points, *beside)]
            scale = (time_scale if field in TIMES else memory_scale)(both)
            key = slug("cost", name, field.replace("_", "-"))
            series = _series(points, beside, scale, ground.short, higher=bool(metric(name).higher_is_better))
            spec = _spec(ground, points, beside, scale, title, name)
            classes = {point.hardware for point in points}
            moved = field in TIMES and moved_by_others(classes)
            note = _MIXED if len(classes) > 1 else _MOVED if moved else ""
            made = f"{title_of(name)} against {title}"
            figures.append(
                Plot("costs", key, made, spec, series, {"cost metric": SHORT.get(name, name)}, note)
            )
    return figures


_MIXED = "Measured on different hardware: costs are not comparable across it, and each has its own front."

_MOVED = "Measured while other processes used the machine: times, and so the front, are only approximate."


def front(points: Sequence[Point], *, higher: bool) -> list[Point]:
    """The points that no other one beats: none is as cheap or cheaper with a better mean, nor cheaper
    with one as good. By rising cost.
    """
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.cost, -p.mean if higher else p.mean, p.label)):
        if not kept or (point.mean > kept[-1].mean if higher else point.mean < kept[-1].mean):
            kept.append(point)
    return kept


def _point(ground: Ground, result: Result, name: str, field: str) -> Point | None:
    cost: float | None = getattr(result.cost, field)
    mean = result.overall.get(name)
    # Only complete entries: a mean over some of the folds is not the same figure.
    if cost is None or not cost > 0 or mean is None or result.rank is None:
        return None
    on = clean(", ".join(result.hardware)) or "hardware unknown"
    return Point(ground.labels[result.entry], cost, mean, result.overall_ci95.get(name), on, str(result.rank))


def _published(published: Sequence[Published], name: str, field: str) -> list[Point]:
    return [
        Point(clean(f"{row.entry.name} ({one.short})"), cost, row.overall[name], None, "published")
        for one in published
        for row in one.rows
        if (cost := getattr(row.cost, field)) and name in row.overall
    ]


def _series(
    points: Sequence[Point],
    beside: Sequence[Point],
    scale: Scale,
    shorten: Callable[[str], str],
    *,
    higher: bool,
) -> tuple[Series, ...]:
    def at(point: Point) -> float | None:
        return rounded(point.cost / scale.factor)

    best: list[Point] = []
    lines = []
    for hardware in sorted({point.hardware for point in points}):
        found = front([point for point in points if point.hardware == hardware], higher=higher)
        best += found
        lines.append(
            Series(
                {"cost": [at(point) for point in found], "edge": [rounded(point.mean) for point in found]},
                {"hardware": hardware},
            )
        )
    values = [point.cost for point in (*points, *beside)]
    few = len(points) <= _NAMED
    middle = (min(values) * max(values)) ** 0.5 if _wide(values) else (min(values) + max(values)) / 2
    dots = []
    for point in (*points, *beside):
        low, high = point.limits or (point.mean, point.mean)
        dots.append(
            Series(
                {
                    "cost": [at(point)],
                    "mean": [rounded(point.mean)],
                    "low": [rounded(low)],
                    "high": [rounded(high)],
                },
                {
                    "entry": point.label,
                    "hardware": point.hardware,
                    "front": "on the front" if point in best else "behind it",
                    "label": shorten(point.label) if few else point.rank,
                    "side": "left" if point.cost > middle else "right",
                },
            )
        )
    return (*dots, *lines)


def _spec(
    ground: Ground, points: Sequence[Point], beside: Sequence[Point], scale: Scale, title: str, name: str
) -> dict[str, Any]:
    values = [point.cost for point in (*points, *beside)]
    x = {
        "field": "cost",
        "type": "quantitative",
        "title": f"{title}, {scale.unit}",
        "scale": {"type": "log" if _wide(values) else "linear", "zero": False, "padding": 30, "nice": False},
        "axis": {"tickCount": 5, "grid": False},
    }
    y = {"type": "quantitative", "scale": {"zero": False}, "title": f"mean {title_of(name)}"}
    y["axis"] = {"tickCount": 6}
    text = {
        "type": "text",
        "fontSize": 11,
        "color": colour("ink"),
        "baseline": "bottom",
        "dy": -5,
        "limit": 210,
    }
    names = {"encoding": {"x": x, "y": {**y, "field": "mean"}, "text": {"field": "label"}}}
    return theme.framed(
        {
            "data": {"name": DATA},
            "width": _WIDTH,
            "height": 330,
            "autosize": theme.FIT,
            "layer": [
                _front_line(x, y),
                _interval_rule(x, y),
                _points(x, y, _shape(points, beside)),
                {
                    "transform": [{"filter": "datum.side === 'right'"}],
                    "mark": {**text, "align": "left", "dx": 6},
                    **names,
                },
                {
                    "transform": [{"filter": "datum.side === 'left'"}],
                    "mark": {**text, "align": "right", "dx": -6},
                    **names,
                },
            ],
        }
    )


def _front_line(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    """The Pareto front of each hardware as a dashed staircase."""
    return {
        "transform": [{"filter": "isValid(datum.edge)"}],
        "mark": {
            "type": "line",
            "interpolate": "step-after",
            "color": colour("dim"),
            "strokeDash": [4, 3],
            "strokeWidth": 1.4,
        },
        "encoding": {"x": x, "y": {**y, "field": "edge"}, "detail": {"field": "hardware"}},
    }


def _interval_rule(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    return {
        "transform": [{"filter": "isValid(datum.mean)"}],
        "mark": {"type": "rule", "color": colour("dot"), "opacity": 0.45, "strokeWidth": 1.4},
        "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
    }


def _points(x: dict[str, Any], y: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    """The means: filled on the front, hollow behind it."""
    lit = {"condition": {"test": "entry === datum.entry", "value": colour("lit")}, "value": colour("dot")}
    beaten = {"test": "datum.front !== 'on the front'", "value": colour("paper")}
    filled = {"condition": [beaten, lit["condition"]], "value": colour("dot")}
    return {
        "transform": [{"filter": "isValid(datum.mean)"}],
        "mark": {"type": "point", "size": 75, "opacity": 1, "strokeWidth": 1.8},
        "encoding": {"x": x, "y": {**y, "field": "mean"}, "shape": shape, "stroke": lit, "fill": filled},
    }


def _shape(points: Sequence[Point], beside: Sequence[Point]) -> dict[str, Any]:
    """A shape for each hardware, and a cross for published results."""
    hardware = sorted({point.hardware for point in points})
    on = list(dict.fromkeys([*hardware, *(["published"] * bool(beside))]))
    return {
        "field": "hardware",
        "type": "nominal",
        "scale": {"domain": on, "range": _shapes(len(on), bool(beside))},
        "legend": {"title": None, "orient": "bottom", "columns": 1} if len(on) > 1 else None,
    }


def _wide(values: Sequence[float]) -> bool:
    """Whether costs spread so widely that small ones need a logarithmic scale."""
    return max(values) > 8 * min(values)


def _shapes(count: int, published: bool) -> list[str]:
    own = [theme.SHAPES[i % 4] for i in range(count - published)]
    return [*own, *(["cross"] * published)]
