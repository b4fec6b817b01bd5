"""What the plots of one dataset share: entries by label, patients, and a value a patient."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from harness.board.aggregate import Gathered, case_values, counts, gather, patient_values
from harness.board.board import Board, Entry, Field, Result
from harness.metrics.definitions import metric
from harness.page.plots.figure import PlottedPatient
from harness.stats.arrays import Key
from harness.tables.clean import clean


@dataclass(frozen=True)
class Ground:
    """The entries of `field` that have scores, in the table's order, with their labels and scores."""

    board: Board
    field: Field
    results: tuple[Result, ...]
    labels: Mapping[Entry, str]
    gathered: Mapping[Entry, Gathered]
    patients: tuple[PlottedPatient, ...]

    @property
    def names(self) -> list[str]:
        """The labels in the table's order."""
        return [self.labels[result.entry] for result in self.results]

    @property
    def same_loss(self) -> str:
        """What all labels end in, where all entries have one loss; it tells nobody anything."""
        losses = {result.entry.loss for result in self.results}
        end = f" + {clean(next(iter(losses)))}" if len(losses) == 1 and len(self.results) > 1 else ""
        return end if all(name.endswith(end) for name in self.names) else ""

    def short(self, label: str) -> str:
        """A label without the loss that all have."""
        return label.removesuffix(self.same_loss)

    @property
    def shortened(self) -> dict[str, str]:
        """What makes an axis or a legend of labels say them short; the data keep them whole."""
        end = len(self.same_loss)
        return {"labelExpr": f"slice(datum.label, 0, length(datum.label) - {end})"} if end else {}

    @property
    def metrics(self) -> list[str]:
        """The scored metrics that have a better direction: those that rank first, then the protocol's."""
        scored = dict.fromkeys(name for result in self.results for name in result.scores)
        wanted = (*self.board.protocol.rank_by, *scored)
        judged = (name for name in wanted if name in scored and metric(name).higher_is_better is not None)
        return list(dict.fromkeys(judged))

    def values(self, entry: Entry, key: Key) -> tuple[list[float | None], dict[int, str]]:
        """A value a patient (None: none), and by place the states that are not ``ok``."""
        scores = self.gathered[entry].get(key, ())
        by_patient = patient_values(case_values(scores))
        states = {one.patient: one.state for one in scores if counts(one) and one.state != "ok"}
        places = range(len(self.patients))
        names = [patient.name for patient in self.patients]
        odd: dict[int, str] = {i: states[names[i]] for i in places if names[i] in states}
        return [by_patient.get(name) for name in names], odd


def ground(board: Board, field: Field, shown: Collection[Entry] | None = None) -> Ground:
    """Gather the scores of a dataset's entries, or of those `shown`."""
    results = tuple(
        one for one in board.of(field.dataset) if one.records and (shown is None or one.entry in shown)
    )
    gathered = {one.entry: gather(one.records) for one in results}
    groups = {
        score.patient: score.group or ""
        for result in results
        for record in result.records
        for score in record.cases
    }
    patients = tuple(PlottedPatient(name, groups[name]) for name in sorted(groups))
    return Ground(board, field, results, _labels(results), gathered, patients)


def _labels(results: Sequence[Result]) -> dict[Entry, str]:
    """Names made harmless; a number tells apart those that only differed in invisible characters."""
    labels: dict[Entry, str] = {}
    for result in results:
        name = clean(result.entry.name)
        twins = sum(clean(entry.name) == name for entry in labels)
        labels[result.entry] = f"{name} ({twins + 1})" if twins else name
    return labels


def slug(*texts: str) -> str:
    """Texts as a part of a file name."""
    return "-".join(re.sub(r"[^a-z0-9@.=]+", "-", text.lower()).strip("-.") or "x" for text in texts)[:120]
