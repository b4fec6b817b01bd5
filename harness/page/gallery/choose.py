"""The patients of the gallery: the best, the median and the worst."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from harness.board.board import Board, Entry, Field
from harness.metrics.definitions import metric
from harness.page.plots.plot_data import ground


@dataclass(frozen=True)
class Told:
    """A patient, which of them it is (``best``, ``median``, ``worst``), and its mean of `metric`."""

    patient: str
    which: str
    metric: str
    value: float


def telling(board: Board, field: Field, shown: Collection[Entry] | None = None) -> list[Told]:
    """Best, median and worst patient by the first metric that ranks, over entries, structures and phases.

    Fewer where there are fewer patients; equal ones stand in the order of their names.
    """
    about = ground(board, field, shown)
    if not about.metrics:
        return []
    by = about.metrics[0]
    values: dict[str, list[float]] = {patient.name: [] for patient in about.patients}
    for result in about.results:
        for structure in field.structures:
            for phase in field.phases:
                found, _ = about.values(result.entry, (by, structure, phase))
                for patient, value in zip(about.patients, found, strict=True):
                    if value is not None:
                        values[patient.name].append(value)
    sign = -1 if metric(by).higher_is_better else 1
    means = {name: math.fsum(each) / len(each) for name, each in values.items() if each}
    order = sorted(means, key=lambda name: (sign * means[name], name))
    if not order:
        return []
    places = {"best": 0, "median": len(order) // 2, "worst": len(order) - 1}
    chosen: dict[str, str] = {}
    for which, place in places.items():
        chosen.setdefault(order[place], which)
    return [Told(name, which, by, means[name]) for name, which in chosen.items()]
