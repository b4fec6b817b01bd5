"""Two entries side by side, paired by patient."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.board.aggregate import Gathered, gather, layout
from harness.board.board import Entry
from harness.board.comparison import Comparison, Overall, Paired, paired_cell
from harness.board.incomparable import other_definition, other_terms
from harness.board.score_arrays import paired_scores
from harness.errors import ConfigError, HarnessError
from harness.metrics.definitions import metric
from harness.stats.arrays import Interval, Key
from harness.stats.bootstrap import RESAMPLES
from harness.stats.differences import PairedScores
from harness.stats.significance import two_sided_p
from harness.stats.verdict import combined_verdict, verdict
from harness.store.record import CaseScore, Record


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

    A patient's value is the mean over its cases in that phase, a case's the mean over seeds.
    `metrics` selects and orders the metrics; by default, all that both sides have. `margins` are the
    differences, by metric and in its unit, up to which two entries count as equivalent. With `resamples`
    0 there are no intervals and no verdicts. HarnessError if the datasets differ or no patient is common;
    ConfigError for an unknown metric, a negative margin, or a metric that the sides define differently.
    """
    margins = _checked(margins or {})
    side_a, side_b = _Side.of(a), _Side.of(b)
    dataset = _dataset(side_a, side_b)
    patients = _common_patients(side_a, side_b)
    keys = _keys(side_a, side_b, metrics)
    shared = [key for key in keys if key in side_a.scores and key in side_b.scores]
    _check_definitions(side_a, side_b, shared)
    seeds_a, seeds_b = side_a.by_seed(patients), side_b.by_seed(patients)
    same = side_a.runs == side_b.runs
    resampled_a, resampled_b = ([] if same else _resampled(seeds) for seeds in (seeds_a, seeds_b))
    pairs = paired_scores(side_a.scores, side_b.scores, resampled_a, resampled_b, shared, patients)
    overall = _overall(pairs, margins, resamples)
    name_a, name_b = names or (side_a.name, side_b.name)
    return Comparison(
        name_a,
        name_b,
        dataset,
        len(patients),
        _cells(side_a, side_b, pairs, patients, margins, resamples),
        only_a=tuple(sorted(side_a.patients - patients)),
        only_b=tuple(sorted(side_b.patients - patients)),
        overall=overall,
        verdict=combined_verdict([metric_overall.verdict for metric_overall in overall]),
        lacks_a=tuple(key for key in keys if key in side_b.scores and key not in side_a.scores),
        lacks_b=tuple(key for key in keys if key in side_a.scores and key not in side_b.scores),
        seeds_a=tuple(seeds_a),
        seeds_b=tuple(seeds_b),
        differ=tuple(other_terms(side_a.records[0], side_b.records[0])),
        same=same,
    )


@dataclass(frozen=True)
class _Side:
    """One of the two entries: its finished runs, their scores by cell, and the patients tested."""

    records: Sequence[Record]
    scores: Gathered
    patients: frozenset[str]

    @classmethod
    def of(cls, records: Sequence[Record]) -> _Side:
        done = [record for record in records if record.status == "done"]
        return cls(done, gather(done), _patients(done))

    @property
    def name(self) -> str:
        return Entry.of(self.records[0].spec).name

    @property
    def runs(self) -> dict[str, tuple[CaseScore, ...]]:
        """Runs with their scores: a run that was repeated is another training under the same id."""
        return {record.run_id: record.cases for record in self.records}

    def by_seed(self, patients: Collection[str]) -> dict[int, Gathered]:
        """The scores of each seed; empty if a seed lacks some of `patients`, as its mean is over others."""
        by_seed: dict[int, list[Record]] = {}
        for record in sorted(self.records, key=lambda record: record.spec.seed):
            by_seed.setdefault(record.spec.seed, []).append(record)
        if any(not _patients(records).issuperset(patients) for records in by_seed.values()):
            return {}
        return {seed: gather(records) for seed, records in by_seed.items()}


def _patients(records: Iterable[Record]) -> frozenset[str]:
    return frozenset(score.patient for record in records for score in record.cases)


def _checked(margins: Mapping[str, float]) -> Mapping[str, float]:
    for name, margin in margins.items():
        if not 0 <= margin < math.inf:
            raise ConfigError(f"margin {margin} of {metric(name).name}", remedy="Use 0 or more.")
    return {metric(name).name: margin for name, margin in margins.items()}


def _dataset(a: _Side, b: _Side) -> str:
    """The dataset of both sides."""
    if not a.records or not b.records:
        raise HarnessError(
            "needs a finished run on either side",
            where="compare",
            remedy="See `harness plan` for what is done.",
        )
    labels = sorted({record.spec.dataset.label for record in (*a.records, *b.records)})
    if len(labels) > 1:
        raise HarnessError(
            f"can't pair patients of {' with those of '.join(labels)}",
            where="compare",
            remedy="Compare entries of one dataset.",
        )
    return str(labels[0])


def _common_patients(a: _Side, b: _Side) -> frozenset[str]:
    common = a.patients & b.patients
    if not common:
        raise HarnessError(
            "no test patient in common", where="compare", remedy="Compare runs of the same folds."
        )
    return common


def _keys(a: _Side, b: _Side, metrics: Sequence[str] | None) -> list[Key]:
    """The cells to compare, of `metrics` or of those that both sides have, in the order of tables."""
    structures, phases = layout((r.spec for r in (*a.records, *b.records)), (*a.scores, *b.scores))
    if metrics is None:
        of_b = {name for name, _, _ in b.scores}
        metrics = list(dict.fromkeys(name for name, _, _ in a.scores if name in of_b))
    return [(metric(m).name, s, p) for m in metrics for s in structures for p in phases]


def _check_definitions(a: _Side, b: _Side, keys: Iterable[Key]) -> None:
    difference = other_definition(a.records[0], b.records[0], dict.fromkeys(name for name, _, _ in keys))
    if difference is not None:
        raise ConfigError(
            difference,
            where="compare",
            remedy="Score both in one way (harness rescore), or compare other metrics with --metric.",
        )


def _resampled(seeds: Mapping[int, Gathered]) -> list[Gathered]:
    """The scores of each seed if there are several: a single seed shows no training variance."""
    return list(seeds.values()) if len(seeds) > 1 else []


def _cells(
    a: _Side,
    b: _Side,
    pairs: PairedScores,
    patients: Collection[str],
    margins: Mapping[str, float],
    resamples: int,
) -> tuple[Paired, ...]:
    intervals = pairs.cell_intervals(resamples)
    cells = [paired_cell(key, a.scores[key], b.scores[key], patients) for key in pairs.keys]
    return tuple(
        _with_verdict(cell, intervals[key], margins.get(cell.metric, 0.0))
        for key, cell in zip(pairs.keys, cells, strict=True)
    )


def _with_verdict(cell: Paired, ci95: Interval | None, margin: float) -> Paired:
    higher = metric(cell.metric).higher_is_better
    if higher is None:
        return replace(cell, ci95=ci95)
    return replace(cell, ci95=ci95, verdict=verdict(ci95, higher_is_better=higher, margin=margin))


def _overall(pairs: PairedScores, margins: Mapping[str, float], resamples: int) -> tuple[Overall, ...]:
    """The comparison over all shared cells, for each metric that has a better direction."""
    names = dict.fromkeys(name for name, _, _ in pairs.keys)
    ranking = {name: higher for name in names if (higher := metric(name).higher_is_better) is not None}
    return tuple(
        _metric_overall(pairs, name, higher, margins.get(name, 0.0), resamples)
        for name, higher in ranking.items()
    )


def _metric_overall(
    pairs: PairedScores, name: str, higher_is_better: bool, margin: float, resamples: int
) -> Overall:
    means = pairs.overall(name, resamples)
    differences = pairs.patient_differences(name)
    return Overall(
        name,
        means.mean_a,
        means.mean_b,
        means.difference,
        means.ci95,
        len(differences),
        two_sided_p(differences),
        margin,
        verdict(means.ci95, higher_is_better=higher_is_better, margin=margin),
    )
