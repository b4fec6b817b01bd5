"""Scoring saved predictions of finished runs again after a change of metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.contract.spec import RunSpec
from harness.errors import HarnessError
from harness.metrics.scoring import Engine, check_engine
from harness.pipeline.external import rescore
from harness.plan.data import Data
from harness.plan.matrix import seeds_and_folds
from harness.plan.spec import external_spec, make_spec
from harness.session.events import Listener, advancing
from harness.session.external_predictions import largest
from harness.session.leaderboard import Leaderboard
from harness.session.open_leaderboard import OpenLeaderboard
from harness.session.rebuild import rebuild
from harness.store.runs import RunFolder


@dataclass(frozen=True)
class RescoreOutcome:
    """Ids of runs that were scored again, and the reason by id for those that could not be.

    `largest_difference` is by metric, between MedPy and the fast engine, and empty if only the latter was
    used. `leaderboard` is None if no run was scored.
    """

    rescored: tuple[str, ...]
    left: Mapping[str, str]
    largest_difference: Mapping[str, float]
    leaderboard: Leaderboard | None


def rescore_leaderboard(opened: OpenLeaderboard, engine: Engine, on_event: Listener) -> RescoreOutcome:
    """Score the saved predictions of every selected run and external entry."""
    check_engine(engine)
    done: list[str] = []
    left: dict[str, str] = {}
    differences: dict[str, float] = {}
    for folder, spec, data in _wanted(opened, on_event):
        run_id = spec.run_id
        tested = set(spec.parts.test)
        cases = [case for case in data.source.cases if case.patient in tested]
        try:
            reason = _obstacle(folder, spec)
            if reason is not None:
                left[run_id] = reason
                continue
            advance = advancing(on_event, "scoring cases")
            _, run_differences = rescore(folder, spec, cases, engine=engine, advance=advance)
        except HarnessError as error:
            left[run_id] = str(error)
            continue
        done.append(run_id)
        differences = largest(differences, run_differences)
    return RescoreOutcome(tuple(done), left, differences, rebuild(opened) if done else None)


def _obstacle(folder: RunFolder, spec: RunSpec) -> str | None:
    """Why a run can't be scored from its saved predictions; None if it can."""
    record = folder.record()
    if record is None or record.status != "done":
        return "not finished; harness run finishes it"
    if not folder.predictions.is_dir():
        return "its predictions were not saved; set keep_predictions = true, and harness run predicts again"
    if not spec.model.external and record.spec.protocol.largest_component != spec.protocol.largest_component:
        return "largest_component changed, which needs a new prediction; harness run predicts again"
    return None


def _wanted(opened: OpenLeaderboard, on_event: Listener) -> Iterator[tuple[RunFolder, RunSpec, Data]]:
    """The folder of every selected run and external entry, and the spec that it would have now."""
    advance = advancing(on_event, "reading cases")
    entries = [entry for entry in opened.matrix.selected if entry.skip is None]
    choices = {entry.dataset.label: entry.dataset for entry in entries}
    data_of = {label: opened.open_data(choice, advance) for label, choice in choices.items()}
    for entry in entries:
        data = data_of[entry.dataset.label]
        for seed, fold in seeds_and_folds(opened.protocol):
            spec = make_spec(opened.title, entry, opened.protocol, data, seed, fold)
            yield opened.runs.run(spec.run_id), spec, data
    for folder in opened.runs.all():
        known = folder.spec()
        external = known.model.external and known.leaderboard == opened.title
        if external and known.dataset.label in data_of:
            data = data_of[known.dataset.label]
            spec = external_spec(opened.title, known.model.name, opened.protocol, data, known.fold)
            if spec.run_id == folder.id:
                yield folder, spec, data
