"""The plan of a leaderboard: every run with its state, and the reason for that."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.config.load import Project
from harness.config.protocol import Protocol
from harness.contract.local import LocalPaths
from harness.contract.record import Failure
from harness.contract.spec import KINDS, RunSpec
from harness.data.manifest import Manifest
from harness.errors import HarnessError, PluginError
from harness.plan.data import Data, open_data
from harness.plan.explain import by_name, name_of, why_new
from harness.plan.matrix import Matrix, PlannedEntry, seeds_and_folds
from harness.plan.spec import make_spec
from harness.plugins.resolve import source_hash
from harness.store.record import Record
from harness.store.runs import RunFolder, RunsFolder
from harness.store.state import Action, RunState, StateOfRun, state_of


@dataclass(frozen=True, repr=False)
class PlannedRun:
    """One run: its specification, its paths on this machine, its state, and the action that it needs.

    `failure` is that of its last attempt that ended (see `harness.store.state.StateOfRun`).
    """

    entry: PlannedEntry
    seed: int
    fold: int
    state: RunState
    reason: str
    action: Action
    run_spec: RunSpec | None = None
    paths: LocalPaths | None = None
    failure: Failure | None = None

    def __repr__(self) -> str:
        return f"PlannedRun({self.id or self.entry.label!r}, {self.state}: {self.reason})"

    @property
    def id(self) -> str:
        """The run's id; empty for a skipped entry, which has none."""
        return self.run_spec.run_id if self.run_spec is not None else ""

    @property
    def spec(self) -> RunSpec:
        """The specification; HarnessError for a skipped entry, which has none."""
        if self.run_spec is None:
            raise HarnessError("was skipped, so it has no specification", where=self.entry.label)
        return self.run_spec

    @property
    def local(self) -> LocalPaths:
        """The paths on this machine; HarnessError for a skipped entry, which has none."""
        if self.paths is None:
            raise HarnessError("was skipped, so it has no paths", where=self.entry.label)
        return self.paths


@dataclass(frozen=True)
class Plan:
    """The selected runs of a leaderboard. `notes` are remarks about the data.

    `manifests` are by the dataset's label.
    """

    leaderboard: str
    protocol: Protocol
    runs: tuple[PlannedRun, ...]
    notes: tuple[str, ...]
    manifests: Mapping[str, Manifest] = field(default_factory=dict)


def make_plan(
    project: Project,
    name: str,
    protocol: Protocol,
    matrix: Matrix,
    runs: RunsFolder,
    *,
    data_roots: Mapping[str, Path],
    plugin_files: tuple[Path, ...] = (),
    observers: Mapping[str, str] | None = None,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> Plan:
    """Plan the selected entries of leaderboard `name`; reads data and run folders, and changes neither.

    `observers` are the destinations of reports, by observer. `advance(done, total)` is called while a dataset
    is read for the first time.
    """
    opened: dict[str, Data] = {}
    local: dict[str, LocalPaths] = {}
    planned: list[PlannedRun] = []
    existing = by_name(runs.all())
    source = functools.cache(_source)
    for entry in matrix.selected:
        if entry.skip is not None:
            planned.append(PlannedRun(entry, 0, 0, RunState.SKIPPED, entry.skip, Action.NOTHING))
            continue
        label = entry.dataset.label
        if label not in opened:
            opened[label] = open_data(project, entry.dataset, protocol, runs, data_roots, advance)
            local[label] = opened[label].local(runs, plugin_files, observers)
        data = opened[label]
        for seed, fold in seeds_and_folds(protocol):
            spec = make_spec(name, entry, protocol, data, seed, fold)
            run = runs.run(spec.run_id)
            known = state_of(run, spec)
            reason = _reason(known, spec, existing.get(name_of(run.id), []), source)
            about = (known.state, reason, known.action)
            planned.append(PlannedRun(entry, seed, fold, *about, spec, local[label], known.failure))
    notes = tuple(note for data in opened.values() for note in data.split.notes)
    manifests = {label: data.manifest for label, data in opened.items()}
    return Plan(name, protocol, tuple(planned), notes, manifests)


def _reason(
    known: StateOfRun,
    spec: RunSpec,
    existing: list[RunFolder],
    source: Callable[[str], str | None],
) -> str:
    """Why a run is in its state; a new one is compared with `existing` runs, a done one with today's code."""
    if known.state is RunState.WAITING:
        return why_new(spec, existing)
    if known.state is RunState.DONE and known.record is not None:
        return _recorded(known.record, source)
    return known.reason


def _recorded(record: Record, source: Callable[[str], str | None]) -> str:
    """``recorded``, and whether the code of a plugin has changed since without a new version."""
    changed = [
        record.spec.plugin(kind).name
        for kind in KINDS
        if kind in record.plugins and record.plugins[kind].source != source(record.spec.plugin(kind).target)
    ]
    if not changed:
        return "recorded"
    return f"recorded; stale? the code of {' and '.join(changed)} changed but its version did not"


def _source(target: str) -> str | None:
    try:
        return source_hash(target)
    except PluginError:
        return None
