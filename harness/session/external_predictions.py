"""Scoring label maps of another tool and ranking them as an entry of a leaderboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.data.case import Case
from harness.data.predictions import FoundPredictions, find_predictions
from harness.errors import ConfigError, nearest
from harness.metrics.scoring import Engine, check_engine
from harness.pipeline.external import score_files
from harness.plan.choice import Choice, parse
from harness.plan.matrix import seeds_and_folds
from harness.plan.spec import external_spec
from harness.session.events import Listener, advancing
from harness.session.leaderboard import Leaderboard
from harness.session.open_leaderboard import OpenLeaderboard
from harness.session.rebuild import rebuild
from harness.session.workspace import Workspace
from harness.store.record import Record


@dataclass(frozen=True)
class ScoredPredictions:
    """Predictions of another tool, scored.

    `name` is the entry's; `records` has one per fold. `missing` are test cases without a prediction, scored
    as empty predictions; `not_tested` are cases with a prediction that are in no test set; `extra` are
    files that match no case. `largest_difference` is by metric, between MedPy and the fast engine, and
    empty if only the latter was used.
    """

    name: str
    records: tuple[Record, ...]
    missing: tuple[str, ...]
    not_tested: tuple[str, ...]
    extra: tuple[Path, ...]
    largest_difference: Mapping[str, float]
    leaderboard: Leaderboard

    @property
    def cases(self) -> int:
        """How many cases were scored."""
        return sum(len({score.case for score in record.cases}) for record in self.records)


def score_external(
    opened: OpenLeaderboard,
    predictions: Path,
    *,
    dataset: str,
    name: str,
    labels: Mapping[str, int] | None,
    engine: Engine,
    on_event: Listener,
) -> ScoredPredictions:
    """Score every test case; `labels` are the label values in the files, by structure."""
    check_engine(engine)
    choice = _choose_dataset(opened, dataset)
    data = opened.open_data(choice, advancing(on_event, "reading cases"))
    found = find_predictions(predictions, data.source.cases)
    values = _label_values(labels, data.source.structures)
    records: list[Record] = []
    differences: dict[str, float] = {}
    for fold in dict.fromkeys(fold for _, fold in seeds_and_folds(opened.protocol)):
        spec = external_spec(opened.title, name.strip(), opened.protocol, data, fold)
        tested = set(spec.parts.test)
        record, fold_differences = score_files(
            opened.runs.run(spec.run_id),
            spec,
            data.local(opened.runs, opened.workspace.plugin_files),
            [case for case in data.source.cases if case.patient in tested],
            found.files,
            values,
            engine=engine,
            advance=advancing(on_event, "scoring cases"),
        )
        records.append(record)
        differences = largest(differences, fold_differences)
    return ScoredPredictions(
        name,
        tuple(records),
        missing=tuple(case for record in records for case in record.missing),
        not_tested=tuple(_not_tested(records, found, data.source.cases)),
        extra=found.extra,
        largest_difference=differences,
        leaderboard=rebuild(opened),
    )


def leaderboard_of(workspace: Workspace, dataset: str) -> str:
    """The only leaderboard with the dataset; ConfigError if none or several have it."""
    known = workspace.project.settings.leaderboard
    wanted = parse(dataset)[0]
    names = [
        name for name, settings in known.items() if wanted in {parse(text)[0] for text in settings.datasets}
    ]
    if len(names) == 1:
        return names[0]
    if names:
        raise ConfigError(
            f"several leaderboards have dataset {dataset}: {', '.join(names)}",
            where="--leaderboard",
            remedy="Name one.",
        )
    datasets = {parse(text)[0] for settings in known.values() for text in settings.datasets}
    raise ConfigError(
        f"no leaderboard has dataset '{dataset}'", where=workspace.file, remedy=nearest(wanted, datasets)
    )


def largest(a: Mapping[str, float], b: Mapping[str, float]) -> dict[str, float]:
    """By metric of `b`, the larger of both values."""
    return {name: max(value, a.get(name, 0.0)) for name, value in b.items()}


def _choose_dataset(opened: OpenLeaderboard, dataset: str) -> Choice:
    known = {entry.dataset.label: entry.dataset for entry in opened.matrix.entries}
    fitting = [choice for label, choice in known.items() if dataset in (label, choice.name)]
    if len(fitting) > 1:
        raise ConfigError(
            f"'{dataset}' is ambiguous: {' or '.join(choice.label for choice in fitting)}",
            where=f"leaderboard {opened.name}",
            remedy="Name one with its parameters.",
        )
    if not fitting:
        raise ConfigError(
            f"has no dataset '{dataset}'", where=f"leaderboard {opened.name}", remedy=nearest(dataset, known)
        )
    return fitting[0]


def _label_values(labels: Mapping[str, int] | None, structures: Mapping[str, int]) -> dict[str, int]:
    """`labels`, or the dataset's; ConfigError unless each structure has a different value."""
    if labels is None:
        return dict(structures)
    for name, value in labels.items():
        if not 0 < value < 256:
            raise ConfigError(f"{name} has the label value {value}", where="--labels", remedy="Use 1 to 255.")
        if name not in structures:
            raise ConfigError(f"no structure '{name}'", where="--labels", remedy=nearest(name, structures))
    if len(set(labels.values())) < len(structures):
        raise ConfigError(
            f"must give each of {', '.join(structures)} a different label value",
            where="--labels",
            remedy="Name all of them.",
        )
    return dict(labels)


def _not_tested(records: Sequence[Record], found: FoundPredictions, cases: Sequence[Case]) -> list[str]:
    tested = {patient for record in records for patient in record.spec.parts.test}
    return [case.id for case in cases if case.patient not in tested and case.id in found.files]
