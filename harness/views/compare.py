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
from harness.views.rows import POSTER_ORDER, SHORT, title_of

_NAMED = 5

_MOST_DECIMALS = 6

_TITLES = {"volume-error": "vol. error mL"}
"""Titles that fit in a column of 80 with all others."""


def comparison(compared: Comparison) -> Table:
    """Overall means first: both, the paired difference, its interval, a verdict, and who moved which way."""
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
        # As numbers are, so that a verdict is never folded.
        Column("B is"),
        Column("better", "patients in B", priority=3),
        Column("same", "patients in B", priority=3),
        Column("worse", "patients in B", priority=3),
    )
    rows = tuple(_overall(one) for one in compared.overall)
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


def _overall(one: Overall) -> Row:
    scale = _scale(one)
    return Row(
        (
            TableCell(title_of(one.metric)),
            TableCell("mean"),
            *_means(one, scale),
            number(one.difference, lambda value: f"{value:+.{scale.decimals}f}"),
            TableCell(_interval(one.ci95, scale)),
            TableCell(MISSING),
            TableCell(str(one.n), one.n),
            number(one.p, p_text),
            TableCell(one.verdict),
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

    A limit on one side of 0 is not printed as 0: a row must not refute its verdict.
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
    contest = higher is not None and a != b
    b_best = contest and (cell.mean_b > cell.mean_a) == higher
    return TableCell(a, cell.mean_a, contest and not b_best), TableCell(b, cell.mean_b, b_best)


def p_text(p: float) -> str:
    """Three decimals; what is smaller is said to be."""
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def _margins(compared: Comparison) -> str:
    told = [
        f"{SHORT.get(one.metric, one.metric)} {one.margin:g}{' ' * bool(unit)}{unit}"
        for one in compared.overall
        if one.margin
        for unit in [metric_scale(one.metric).unit]
    ]
    return f", equivalent where it is within ± {', '.join(told)}" if told else ""


def _caption(compared: Comparison) -> list[str]:
    lines = [
        f"A: {compared.a}. B: {compared.b}. {compared.patients} patients in common. * the better mean.",
        *_grounds(compared),
        "p: two-sided Wilcoxon signed-rank test over patients, not corrected for the number of tests; "
        f"none with fewer than {MIN_NONZERO} patients that differ.",
        f"95 %: {_sampled(compared)}; B is better or worse where the interval excludes 0"
        + f"{_margins(compared)}, not corrected for the number of tests; undecided with fewer than "
        f"{MIN_PATIENTS} patients. Mean: over structures and phases, each equal. "
        f"Altogether B is {compared.verdict}.",
    ]
    metrics = dict.fromkeys(cell.metric for cell in compared.cells)
    for name in metrics:
        unpaired = sum(cell.unpaired for cell in compared.cells if cell.metric == name)
        if unpaired:
            lines.append(f"{SHORT.get(name, name)}: {unpaired} pairs left out, where one side has no value.")
    for side, keys in (("A", compared.lacks_a), ("B", compared.lacks_b)):
        if keys:
            cells = dict.fromkeys(" ".join(key) for key in keys)
            lines.append(f"Left out, for {side} has no scores of it: {', '.join(cells)}.")
    for side, names in (("A", compared.only_a), ("B", compared.only_b)):
        if names:
            lines.append(f"Only in {side}: {first_few(names, _NAMED)}.")
    return lines


def _grounds(compared: Comparison) -> list[str]:
    """What both sides don't share besides their entry."""
    if not compared.differ:
        return []
    return [f"A and B were not made under the same terms: {first_few(compared.differ, _NAMED, '; ')}."]


def _sampled(compared: Comparison) -> str:
    """What was drawn anew; where a side has no several seeds, that its training was not."""
    if compared.same:
        return "bootstrap over patients (A and B are the same runs: there is no training noise between them)"
    sides = {"A": compared.seeds_a, "B": compared.seeds_b}
    single = {side: _single(seeds) for side, seeds in sides.items() if len(seeds) < 2}
    if not single:
        return "bootstrap over patients and over the seeds of either side"
    if len(single) == 2:
        a, b = single.values()
        told = f"{a} a side" if a == b else f"A has {a}, B {b}"
        return f"bootstrap over patients ({told}: training noise is not in it)"
    (other,) = {*sides} - {*single}
    ((side, told),) = single.items()
    return (
        f"bootstrap over patients and the seeds of {other} ({side} has {told}: "
        "its training noise is not in it)"
    )


def _single(seeds: Sequence[int]) -> str:
    return "one seed" if seeds else "no several seeds of all patients"
