"""Entries compared pair by pair, and whether one is worse than a margin allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from harness.board.compare import compare
from harness.board.comparison import Comparison
from harness.errors import ConfigError
from harness.metrics.definitions import metric
from harness.session.display import Displayed
from harness.session.entries import FoundEntry
from harness.session.workspace import listed
from harness.stats.confidence_intervals import MIN_PATIENTS
from harness.stats.verdict import Verdict
from harness.tables.table import Table
from harness.views.compare import comparison
from harness.views.json_values import comparison_json

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class EntryComparison(Displayed):
    """Entry B against entry A, paired by patient. `print` and notebooks show its table.

    `result` holds the paired differences, overall and by structure and phase.
    """

    result: Comparison

    @property
    def verdict(self) -> Verdict:
        """B is better, worse, equivalent or undecided."""
        return self.result.verdict

    @property
    def tables(self) -> tuple[Table]:
        """Its table."""
        return (comparison(self.result),)

    def to_frame(self) -> pd.DataFrame:
        """A row per metric, structure and phase, then a row per metric over all of them.

        Columns are the fields of `Paired`, with `ci95` as ci95_low and ci95_high; structure and phase of
        overall rows are "mean".
        """
        import pandas as pd

        rows = [asdict(cell) for cell in self.result.cells]
        rows += [{**asdict(overall), "structure": "mean", "phase": "mean"} for overall in self.result.overall]
        for row in rows:
            row["ci95_low"], row["ci95_high"] = row.pop("ci95") or (None, None)
        return pd.DataFrame(rows)

    def as_json(self) -> dict[str, Any]:
        """What ``harness compare --json`` prints of a comparison."""
        return comparison_json(self.result)

    def regressions(self, margins: Mapping[str, float]) -> Iterator[str]:
        """Sentences on the metrics in which B is significantly worse than A by more than its margin.

        Scores that A has and B lacks count as worse. ConfigError if a metric has too few common scores for a
        verdict.
        """
        self._check_decidable(list(margins))
        compared = self.result
        for overall in compared.overall:
            margin = margins.get(overall.metric)
            if margin is None or overall.difference is None or overall.verdict != "worse":
                continue
            loss = -overall.difference if metric(overall.metric).higher_is_better else overall.difference
            if loss > margin:
                yield f"{compared.b} is worse in {overall.metric}"
        for name, structure, phase in compared.lacks_b:
            if name in margins:
                yield f"{compared.b} has no {name} of {structure} {phase}"

    def _check_decidable(self, guarded: Sequence[str]) -> None:
        compared = self.result
        judged = {overall.metric for overall in compared.overall}
        absent = [name for name in guarded if name not in judged]
        if absent:
            raise ConfigError(
                f"{compared.a} and {compared.b} have no scores of {absent[0]} in common",
                where="--fail-if-worse",
                remedy="Check another metric with --metric, or score this one: harness rescore.",
            )
        for overall in compared.overall:
            if overall.metric in guarded and overall.n < MIN_PATIENTS:
                raise ConfigError(
                    f"{overall.n} patients with {overall.metric} on both sides are too few for a verdict",
                    where="--fail-if-worse",
                    remedy=f"At least {MIN_PATIENTS} are needed.",
                )


def compare_entries(
    a: FoundEntry,
    b: FoundEntry,
    *,
    metrics: Sequence[str] | None = None,
    margins: Mapping[str, float] | None = None,
) -> EntryComparison:
    """B against A; see `harness.board.compare.compare`."""
    metrics = None if metrics is None else listed("metrics", metrics)
    return EntryComparison(
        compare(a.records, b.records, metrics=metrics, names=(a.name, b.name), margins=margins)
    )


def guarded_metrics(metrics: Sequence[str] | None) -> list[str]:
    """The metrics that a guard against regressions is about: `metrics`, else Dice.

    ConfigError for one that has no better direction.
    """
    names = [metric(name).name for name in metrics or ["dice"]]
    for name in names:
        if metric(name).higher_is_better is None:
            raise ConfigError(
                f"{name} has no better direction",
                where="--fail-if-worse",
                remedy="Check another metric with --metric.",
            )
    return names
