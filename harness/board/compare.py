"""Two entries side by side, paired by patient."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.board.aggregate import Gathered, Key, case_values, gather, layout, patient_values
from harness.board.board import Entry
from harness.board.bootstrap import RESAMPLES
from harness.board.differences import Differences
from harness.board.incomparable import other_definition, other_terms
from harness.errors import ConfigError, HarnessError
from harness.metrics.definitions import metric
from harness.stats.arrays import Interval
from harness.stats.verdict import Verdict, altogether, verdict
from harness.store.record import CaseScore, Record

SMALLEST_N = 6
"""With fewer non-zero differences the two-sided Wilcoxon test can't get below p = 0.05 (2 / 2^5 = 0.0625)."""


@dataclass(frozen=True)
class Paired:
    """One metric of one structure in one phase, over the patients that both sides have a value for.

    `difference` is the mean of B − A and `sd` its sample standard deviation (None below two).
    `p` is the two-sided Wilcoxon signed-rank test's, zero differences left out, not corrected
    for the number of tests; None with fewer than six non-zero differences. `wins`, `losses` and
    `ties` count patients from B's side, None for a metric without a better direction.
    `unpaired` counts the common patients that one side has no value for. `ci95` is the bootstrap
    interval of `difference` over patients and seeds, None below six patients; `verdict` is what it
    says of B, undecided without it, None for a metric without a better direction.
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
    """One metric over all cells, each equal, of the patients in common; fields as in `Paired`.

    `n` are the patients in at least one cell; `p` is of their means over their cells. `margin` is the
    one that `verdict` was made with.
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

    `lacks_a` and `lacks_b` are the metrics, structures and phases that only the other has scores of:
    `overall`, by metric that has a better direction, is over the others. `verdict` is what these say
    together. `differ` says what of data, split and protocol the sides don't share. `seeds_a` and
    `seeds_b` are the seeds of either side with which every common patient was tested, none where that
    is not so of each seed: with fewer than two, training noise is in no interval. `same` says that
    both sides are the same runs, between which there is none.
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


def compare(
    a: Sequence[Record],
    b: Sequence[Record],
    *,
    metrics: Sequence[str] | None = None,
    names: tuple[str, str] | None = None,
    margins: Mapping[str, float] | None = None,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Compare the finished runs of two entries on the same dataset.

    A patient's value is the mean over its cases of that phase, a case's the mean over seeds.
    `metrics` limits and orders; by default those that both have. `margins` are the differences,
    by metric and in its unit, up to which two entries count as equivalent. Without `resamples`
    there are no intervals and no verdicts. HarnessError where the datasets differ or no patient
    is common, ConfigError for an unknown metric, a negative margin, or a metric that the sides define
    otherwise.
    """
    margins = _checked(margins or {})
    a = [record for record in a if record.status == "done"]
    b = [record for record in b if record.status == "done"]
    dataset = _dataset(a, b)
    patients_a, patients_b = _patients(a), _patients(b)
    both = patients_a & patients_b
    if not both:
        raise HarnessError(
            "no test patient in common", where="compare", remedy="Compare runs of the same folds."
        )
    scores_a, scores_b = gather(a), gather(b)
    structures, phases = layout((r.spec for r in (*a, *b)), (*scores_a, *scores_b))
    if metrics is None:
        of_b = {name for name, _, _ in scores_b}
        metrics = list(dict.fromkeys(name for name, _, _ in scores_a if name in of_b))
    keys = [(metric(m).name, s, p) for m in metrics for s in structures for p in phases]
    shared = [key for key in keys if key in scores_a and key in scores_b]
    _check_definitions(a[0], b[0], dict.fromkeys(name for name, _, _ in shared))
    seeds_a, seeds_b, same = _by_seed(a, both), _by_seed(b, both), _runs(a) == _runs(b)
    alone = tuple([*own.values()] if len(own) > 1 and not same else [] for own in (seeds_a, seeds_b))
    differences = Differences.of((scores_a, scores_b), (alone[0], alone[1]), shared, both)
    limits = differences.by_cell(resamples)
    cells = tuple(
        _judged(_paired(key, scores_a[key], scores_b[key], both), limits[key], margins) for key in shared
    )
    together = tuple(
        _overall(differences, name, resamples, margins.get(name, 0.0))
        for name in dict.fromkeys(name for name, _, _ in shared)
        if metric(name).higher_is_better is not None
    )
    name_a, name_b = names or (Entry.of(a[0].spec).name, Entry.of(b[0].spec).name)
    return Comparison(
        name_a,
        name_b,
        dataset,
        len(both),
        cells,
        only_a=tuple(sorted(patients_a - both)),
        only_b=tuple(sorted(patients_b - both)),
        overall=together,
        verdict=altogether([one.verdict for one in together]),
        lacks_a=tuple(key for key in keys if key in scores_b and key not in scores_a),
        lacks_b=tuple(key for key in keys if key in scores_a and key not in scores_b),
        seeds_a=tuple(seeds_a),
        seeds_b=tuple(seeds_b),
        differ=tuple(other_terms(a[0], b[0])),
        same=same,
    )


def _by_seed(records: Sequence[Record], patients: set[str]) -> dict[int, Gathered]:
    """The scores of each seed; none where a seed lacks some of `patients`: its mean is over others."""
    own: dict[int, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.spec["seed"]):
        own.setdefault(record.spec["seed"], []).append(record)
    if any(patients - _patients(one) for one in own.values()):
        return {}
    return {seed: gather(one) for seed, one in own.items()}


def _runs(records: Iterable[Record]) -> dict[str, tuple[CaseScore, ...]]:
    """Runs with their scores: a run that was made again is another training under the same id."""
    return {record.run_id: record.cases for record in records}


def _checked(margins: Mapping[str, float]) -> Mapping[str, float]:
    for name, margin in margins.items():
        if not 0 <= margin < math.inf:
            raise ConfigError(f"margin {margin} of {metric(name).name}", remedy="Use 0 or more.")
    return {metric(name).name: margin for name, margin in margins.items()}


def _check_definitions(a: Record, b: Record, names: Iterable[str]) -> None:
    told = other_definition(a, b, names)
    if told is not None:
        raise ConfigError(
            told,
            where="compare",
            remedy="Score both in one way (harness rescore), or compare other metrics with --metric.",
        )


def _judged(cell: Paired, limits: Interval | None, margins: Mapping[str, float]) -> Paired:
    higher = metric(cell.metric).higher_is_better
    if higher is None:
        return replace(cell, ci95=limits)
    margin = margins.get(cell.metric, 0.0)
    return replace(cell, ci95=limits, verdict=verdict(limits, higher_is_better=higher, margin=margin))


def _overall(differences: Differences, name: str, resamples: int, margin: float) -> Overall:
    mean_a, mean_b, difference, limits = differences.overall(name, resamples)
    by_patient = differences.of_patients(name)
    return Overall(
        name,
        mean_a,
        mean_b,
        difference,
        limits,
        len(by_patient),
        _wilcoxon(by_patient),
        margin,
        verdict(limits, higher_is_better=bool(metric(name).higher_is_better), margin=margin),
    )


def _dataset(a: Sequence[Record], b: Sequence[Record]) -> str:
    if not a or not b:
        raise HarnessError(
            "needs a finished run on either side",
            where="compare",
            remedy="See `harness plan` for what is done.",
        )
    labels = sorted({record.spec["dataset"]["label"] for record in (*a, *b)})
    if len(labels) > 1:
        raise HarnessError(
            f"can't pair patients of {' with those of '.join(labels)}",
            where="compare",
            remedy="Compare entries of one dataset.",
        )
    return str(labels[0])


def _patients(records: Sequence[Record]) -> set[str]:
    return {score.patient for record in records for score in record.cases}


def _paired(key: Key, scores_a: list[CaseScore], scores_b: list[CaseScore], both: set[str]) -> Paired:
    a, b = patient_values(case_values(scores_a)), patient_values(case_values(scores_b))
    common = sorted(both & a.keys() & b.keys())
    # Rounded, so that equal differences are ties to the test and not noise of the last bit.
    differences = [round(b[patient] - a[patient], 12) for patient in common]
    n = len(common)
    seen = both & ({s.patient for s in scores_a} | {s.patient for s in scores_b})
    mean = math.fsum(differences) / n if n else None
    higher = metric(key[0]).higher_is_better
    up = sum(d > 0 for d in differences)
    down = sum(d < 0 for d in differences)
    wins, losses = (up, down) if higher else (down, up)
    return Paired(
        *key,
        mean_a=math.fsum(a[p] for p in common) / n if n else None,
        mean_b=math.fsum(b[p] for p in common) / n if n else None,
        difference=mean,
        sd=None
        if mean is None or n < 2
        else math.sqrt(math.fsum((d - mean) ** 2 for d in differences) / (n - 1)),
        n=n,
        p=_wilcoxon(differences),
        wins=None if higher is None else wins,
        losses=None if higher is None else losses,
        ties=None if higher is None else n - up - down,
        unpaired=len(seen) - n,
    )


def _wilcoxon(differences: Sequence[float]) -> float | None:
    moved = [d for d in differences if d != 0]
    if len(moved) < SMALLEST_N:
        return None
    from scipy.stats import wilcoxon

    p = float(wilcoxon(moved, alternative="two-sided").pvalue)
    return p if math.isfinite(p) else None
