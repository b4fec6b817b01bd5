"""The result of a comparison of two entries: cell by cell, overall, and the verdict."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.board.aggregate import case_values, patient_values
from harness.metrics.definitions import metric
from harness.stats.arrays import DECIMALS, Interval, Key, sample_sd
from harness.stats.significance import two_sided_p
from harness.stats.verdict import Verdict
from harness.store.record import CaseScore


@dataclass(frozen=True)
class Paired:
    """One metric of one structure in one phase, over the patients that both sides have a value for.

    `difference` is the mean of B − A and `sd` the sample standard deviation (None below two patients).
    `p` is that of the two-sided Wilcoxon signed-rank test without zero differences, not corrected
    for the number of tests; None with fewer than six non-zero differences. `wins`, `losses` and
    `ties` count the patients in which B is better, worse or equal. `unpaired` counts the common patients
    that one side has no value for. `ci95` is the bootstrap interval of `difference` over patients and
    seeds, None below six patients; `verdict` is that on B, undecided without an interval. A metric without
    a better direction has neither a verdict nor wins, losses and ties.
    """

    metric: str
    structure: str
    phase: str
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    sd: float | None
    n: int
    p: float | None
    wins: int | None
    losses: int | None
    ties: int | None
    unpaired: int
    ci95: Interval | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Overall:
    """One metric over all cells, each weighted equally, of the patients in common; fields as in `Paired`.

    `n` counts the patients with at least one cell; `p` is of their mean differences over their cells.
    `margin` is the largest difference that `verdict` takes as equivalent.
    """

    metric: str
    mean_a: float | None
    mean_b: float | None
    difference: float | None
    ci95: Interval | None
    n: int
    p: float | None
    margin: float
    verdict: Verdict


@dataclass(frozen=True)
class Comparison:
    """B against A on one dataset; `only_a` and `only_b` are the patients that the other lacks.

    `lacks_a` and `lacks_b` are the metrics, structures and phases that only the other side has scores of.
    `overall`, for each metric with a better direction, is over the cells that both have, and `verdict`
    combines its verdicts. `differ` names the differences in data, split and protocol. `seeds_a` and
    `seeds_b` are the seeds of each side, empty if a seed was not tested on every common patient; with
    fewer than two, intervals exclude that side's training variance. `same` means that both sides are the
    same runs, between which there is no training variance.
    """

    a: str
    b: str
    dataset: str
    patients: int
    cells: tuple[Paired, ...]
    only_a: tuple[str, ...] = ()
    only_b: tuple[str, ...] = ()
    overall: tuple[Overall, ...] = ()
    verdict: Verdict = "undecided"
    lacks_a: tuple[Key, ...] = ()
    lacks_b: tuple[Key, ...] = ()
    seeds_a: tuple[int, ...] = ()
    seeds_b: tuple[int, ...] = ()
    differ: tuple[str, ...] = ()
    same: bool = False


def paired_cell(
    key: Key, scores_a: Iterable[CaseScore], scores_b: Iterable[CaseScore], patients: Collection[str]
) -> Paired:
    """One cell over those of `patients` that both sides have a value for, without interval and verdict."""
    scores_a, scores_b = tuple(scores_a), tuple(scores_b)
    a, b = patient_values(case_values(scores_a)), patient_values(case_values(scores_b))
    common = sorted(a.keys() & b.keys() & set(patients))
    # Rounded, so that equal differences are ties in the test.
    differences = [round(b[patient] - a[patient], DECIMALS) for patient in common]
    higher = metric(key[0]).higher_is_better
    positive, negative = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    wins, losses = (positive, negative) if higher else (negative, positive)
    tested = {score.patient for score in (*scores_a, *scores_b)} & set(patients)
    return Paired(
        *key,
        mean_a=_mean([a[patient] for patient in common]),
        mean_b=_mean([b[patient] for patient in common]),
        difference=_mean(differences),
        sd=sample_sd(differences),
        n=len(common),
        p=two_sided_p(differences),
        wins=None if higher is None else wins,
        losses=None if higher is None else losses,
        ties=None if higher is None else len(common) - positive - negative,
        unpaired=len(tested) - len(common),
    )


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
