"""Two entries side by side, paired by patient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from harness.board.board import NO_PHASE
from harness.board.comparison import Comparison, Overall, Paired
from harness.errors import first_few
from harness.metrics.definitions import metric
from harness.stats.arrays import Interval
from harness.stats.confidence_intervals import MIN_PATIENTS
from harness.stats.significance import MIN_NONZERO
from harness.tables.table import MISSING, Column, Row, Table, TableCell, number
from harness.tables.units import Scale, metric_scale
from harness.views.entry_rows import POSTER_ORDER, SHORT, title_of

_NAMED = 5
"""The most names in a list; it counts the others."""

_MOST_DECIMALS = 6
"""The most decimals of an interval's ends."""

_TITLES = {"volume-error": "vol. error mL"}
"""Short titles, so that the table fits in 80 columns."""


def comparison(compared: Comparison) -> Table:
    """Both means, paired difference, interval, verdict and counts of patients; overall means first."""
    columns = (
        Column("metric", holds="word"),
        Column("structure", holds="word"),
        Column("A", "mean"),
        Column("B", "mean"),
        Column("mean", "B − A"),
        Column("95 %", "B − A", label="interval of the difference", priority=1),
        Column("sd", "B − A", label="sd of the difference", priority=5),
        Column("n", priority=4),
        Column("p", priority=2),
        # Held as a number, so that a verdict is never folded.
        Column("B is"),
        Column("better", "patients in B", priority=3),
        Column("same", "patients in B", priority=3),
        Column("worse", "patients in B", priority=3),
    )
    rows = tuple(_overall(overall) for overall in compared.overall)
    rows += tuple(_row(cell) for cell in _in_order(compared.cells))
    return Table(f"B against A on {compared.dataset}", columns, rows, tuple(_caption(compared)))


def _in_order(cells: Sequence[Paired]) -> list[Paired]:
    names = {cell.structure for cell in cells}
    if names != set(POSTER_ORDER):
        return list(cells)
    metrics = list(dict.fromkeys(cell.metric for cell in cells))
    return sorted(cells, key=lambda c: (metrics.index(c.metric), POSTER_ORDER.index(c.structure)))


def _row(cell: Paired) -> Row:
    scale = _scale(cell)
    where = cell.structure if cell.phase == NO_PHASE else f"{cell.structure} {cell.phase}"
    return Row(
        (
            TableCell(_TITLES.get(cell.metric) or title_of(cell.metric)),
            TableCell(where),
            *_means(cell, scale),
            number(cell.difference, lambda value: f"{value:+.{scale.decimals}f}"),
            TableCell(_interval(cell.ci95, scale)),
            number(cell.sd, scale.text),
            TableCell(str(cell.n), cell.n),
            number(cell.p, p_text),
            TableCell(cell.verdict or MISSING),
            *(number(count, lambda value: f"{value:.0f}") for count in (cell.wins, cell.ties, cell.losses)),
        )
    )


def _overall(overall: Overall) -> Row:
    scale = _scale(overall)
    return Row(
        (
            TableCell(title_of(overall.metric)),
            TableCell("mean"),
            *_means(overall, scale),
            number(overall.difference, lambda value: f"{value:+.{scale.decimals}f}"),
            TableCell(_interval(overall.ci95, scale)),
            TableCell(MISSING),
            TableCell(str(overall.n), overall.n),
            number(overall.p, p_text),
            TableCell(overall.verdict),
            *[TableCell(MISSING)] * 3,
        )
    )


def _interval(limits: Interval | None, scale: Scale) -> str:
    if limits is None:
        return MISSING
    low, high = (f"{value:+.{scale.decimals}f}" for value in limits)
    return f"{low} to {high}"


def _scale(cell: Paired | Overall) -> Scale:
    """The metric's scale with enough decimals for two digits of the interval's width.

    An end that is not 0 is not printed as 0, because the row would contradict its verdict.
    """
    scale = metric_scale(cell.metric)
    if cell.ci95 is None:
        return scale
    low, high = cell.ci95
    decimals = scale.decimals
    if high > low:
        decimals = max(decimals, 1 - math.floor(math.log10(high - low)))
    least = min(abs(low), abs(high))
    while low * high > 0 and decimals < _MOST_DECIMALS and not round(least, decimals):
        decimals += 1
    return replace(scale, decimals=min(decimals, _MOST_DECIMALS))


def _means(cell: Paired | Overall, scale: Scale) -> tuple[TableCell, TableCell]:
    """Both means, the better one marked unless they print the same."""
    show = scale.text
    if cell.mean_a is None or cell.mean_b is None:
        return number(cell.mean_a, show), number(cell.mean_b, show)
    a, b = show(cell.mean_a), show(cell.mean_b)
    higher = metric(cell.metric).higher_is_better
    differ = higher is not None and a != b
    b_best = differ and (cell.mean_b > cell.mean_a) == higher
    return TableCell(a, cell.mean_a, differ and not b_best), TableCell(b, cell.mean_b, b_best)


def p_text(p: float) -> str:
    """A p value with three decimals, or ``<0.001``."""
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def _margins(compared: Comparison) -> str:
    margins = [
        f"{SHORT.get(overall.metric, overall.metric)} {overall.margin:g}{' ' * bool(unit)}{unit}"
        for overall in compared.overall
        if overall.margin
        for unit in [metric_scale(overall.metric).unit]
    ]
    return f", equivalent if it is within ± {', '.join(margins)}" if margins else ""


def _caption(compared: Comparison) -> list[str]:
    lines = [
        f"A: {compared.a}. B: {compared.b}. {compared.patients} patients in common. * marks the better mean.",
        *_grounds(compared),
        "p: two-sided Wilcoxon signed-rank test over patients, not corrected for multiple testing; "
        f"omitted if fewer than {MIN_NONZERO} patients differ.",
        f"95 %: {_sampled(compared)}. B is better or worse if the interval excludes 0"
        + f"{_margins(compared)}, not corrected for multiple testing; undecided with fewer than "
        f"{MIN_PATIENTS} patients. Mean: over structures and phases, weighted equally. "
        f"Overall, B is {compared.verdict}.",
    ]
    metrics = dict.fromkeys(cell.metric for cell in compared.cells)
    for name in metrics:
        unpaired = sum(cell.unpaired for cell in compared.cells if cell.metric == name)
        if unpaired:
            lines.append(f"{SHORT.get(name, name)}: {unpaired} pairs left out, because A or B has no value.")
    for side, keys in (("A", compared.lacks_a), ("B", compared.lacks_b)):
        if keys:
            cells = dict.fromkeys(" ".join(key) for key in keys)
            lines.append(f"Left out, because {side} has no scores: {', '.join(cells)}.")
    for side, names in (("A", compared.only_a), ("B", compared.only_b)):
        if names:
            lines.append(f"Only in {side}: {first_few(names, _NAMED)}.")
    return lines


def _grounds(compared: Comparison) -> list[str]:
    """Differences of protocol, split or data between A and B."""
    if not compared.differ:
        return []
    return [f"A and B differ in protocol, split or data: {first_few(compared.differ, _NAMED, '; ')}."]


def _sampled(compared: Comparison) -> str:
    """What the bootstrap resampled, and whose training variance the interval excludes."""
    if compared.same:
        return (
            "bootstrap over patients (A and B are the same runs and have no training variance between them)"
        )
    sides = {"A": compared.seeds_a, "B": compared.seeds_b}
    single = {side: _single(seeds) for side, seeds in sides.items() if len(seeds) < 2}
    if not single:
        return "bootstrap over patients and over the seeds of both sides"
    if len(single) == 2:
        a, b = single.values()
        reason = f"both sides have {a}" if a == b else f"A has {a}, B has {b}"
        return f"bootstrap over patients; {reason}, so the interval excludes training variance"
    (other,) = {*sides} - {*single}
    ((side, reason),) = single.items()
    return (
        f"bootstrap over patients and the seeds of {other}; {side} has {reason}, so the interval excludes "
        "its training variance"
    )


def _single(seeds: Sequence[int]) -> str:
    return "one seed" if seeds else "no seeds with all patients"
