"""A ranked leaderboard as an object: its entries, caveats, tables, data frames and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.board.board import Board, Entry, Result
from harness.board.published import Published
from harness.errors import ConfigError, nearest
from harness.session.comparison import EntryComparison, compare_entries
from harness.session.display import Displayed, TableView
from harness.session.entries import FoundEntry, match_entry
from harness.tables.arrange import arrange
from harness.tables.table import Table, only
from harness.views import captions
from harness.views.against import against
from harness.views.frame import entries_frame, scores_frame
from harness.views.json_values import leaderboard_json
from harness.views.leaderboard_views import tables
from harness.views.worst import worst

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Leaderboard(Displayed):
    """A ranked leaderboard. `print` and notebooks show its summary.

    `board` holds all its results, `published` the published results that stand beside them. `folder` is
    where its files were written. `selected` are the entries that were asked for, None for all; ranks are
    always among all entries.
    """

    board: Board
    published: tuple[Published, ...]
    folder: Path
    selected: frozenset[Entry] | None = None

    @property
    def name(self) -> str:
        """The leaderboard's name; one that overrides change has a suffix (``quick@1a2b3c4d``)."""
        return self.board.name

    @cached_property
    def entries(self) -> tuple[Result, ...]:
        """The selected entries by dataset and rank, the unranked ones last.

        Each has `entry`, `state`, `rank` and `rank_interval` (None unless it is complete), the means by
        metric (`overall`) with their 95 % confidence intervals (`overall_ci95`), `cost`, and the `reason`
        why it is not ranked.
        """
        results = self.board.results
        return tuple(r for r in results if self.selected is None or r.entry in self.selected)

    @cached_property
    def caveats(self) -> tuple[str, ...]:
        """Limits of the conclusions: variation that intervals exclude, few patients, missing entries."""
        sentences: list[str] = []
        for field in self.board.fields:
            results = self.board.of(field.dataset)
            sentences += captions.training_noise(field, results)
            sentences += captions.few_patients(field, results)
            sentences += captions.notes(field)
            sentences += captions.reasons(results)
        sentences += [f"Left out: {run.run_id}, {run.reason}." for run in self.board.left_out]
        return tuple(dict.fromkeys(sentences))

    def to_frame(self) -> pd.DataFrame:
        """A row per entry.

        Columns: entry, model, loss, dataset, state, reason, rank, rank_low, rank_high, group; for each
        metric M its mean over structures and phases in M, and its 95 % confidence interval in M_low and
        M_high; then the fields of `Cost`. Missing values are NaN or None.
        """
        return entries_frame(self.entries)

    def scores(self) -> pd.DataFrame:
        """A row per case, structure and metric of every finished run of `entries`.

        Columns: entry, model, loss, dataset, seed, fold, then the fields of `CaseScore`. `value` is NaN in
        states without a value.
        """
        return scores_frame(record for result in self.entries for record in result.records)

    def table(
        self, view: str = "summary", *, sort: str | None = None, columns: Sequence[str] = ()
    ) -> TableView:
        """The tables of a view: summary, dice, hausdorff, clinical, groups or cost.

        `sort` names a column to sort by, the best first; `columns` limits the columns. ConfigError for an
        unknown view or column, and for a view that no dataset has the scores for.
        """
        shown = tables(self.board, view, published=self.published, shown=self.selected)
        return TableView(tuple(self._arranged(shown, sort, columns)))

    def worst(self, count: int, *, sort: str | None = None, columns: Sequence[str] = ()) -> TableView:
        """The `count` worst scores of the ranking metric."""
        shown = [worst(self.board, field, count, self.selected) for field in self.board.fields]
        return TableView(tuple(self._arranged(shown, sort, columns)))

    def against(self, name: str) -> TableView:
        """The entries beside the published results `name`, cell by cell; ConfigError for an unknown name."""
        known = {published.name: published for published in self.published}
        if name not in known:
            raise ConfigError(
                f"no published results '{name}'", where="--against", remedy=nearest(name, known)
            )
        fields = [field for field in self.board.fields if field.dataset_name == known[name].dataset]
        if not fields:
            raise ConfigError(
                f"{name} has dataset {known[name].dataset}, which is not on leaderboard {self.name}",
                where="--against",
            )
        shown = [table for field in fields for table in against(self.board, field, known[name])]
        if self.selected is not None:
            selected = self.selected
            shown = [only(table, lambda entry: entry in selected) for table in shown]
        return TableView(tuple(shown))

    def compare(
        self,
        a: str,
        b: str,
        *,
        metrics: Sequence[str] | None = None,
        margins: Mapping[str, float] | None = None,
    ) -> EntryComparison:
        """Entry `b` against entry `a`, paired by patient; names are ``MODEL+LOSS`` or ``MODEL+LOSS@DATASET``.

        `metrics` limits and orders the metrics. `margins` are the differences, by metric and in its unit,
        up to which two entries count as equivalent. ConfigError for a name without finished runs.
        """
        return compare_entries(self._find(a), self._find(b), metrics=metrics, margins=margins)

    def as_json(self) -> dict[str, Any]:
        """What ``leaderboard.json`` holds, limited to the selected entries."""
        value = leaderboard_json(self.board, self.published)
        names = {(result.entry.model, result.entry.loss, result.entry.dataset) for result in self.entries}
        value["entries"] = [
            entry for entry in value["entries"] if (entry["model"], entry["loss"], entry["dataset"]) in names
        ]
        return value

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables of the summary."""
        return self.table().tables

    def _arranged(self, shown: list[Table], sort: str | None, columns: Sequence[str]) -> list[Table]:
        if sort is None and not columns:
            return shown
        # The last table lists runs that were left out and has other columns.
        return [arrange(table, sort=sort, columns=columns) for table in shown[: len(self.board.fields)]]

    def _find(self, name: str) -> FoundEntry:
        results = {result.entry: result for result in self.board.results if result.records}
        entry = match_entry(name, results, f"leaderboard {self.name}")
        if entry is None:
            raise ConfigError(
                f"no finished runs of '{name}'",
                where=f"leaderboard {self.name}",
                remedy=nearest(name, (known.name for known in results)),
            )
        return FoundEntry(entry, list(results[entry].records))
