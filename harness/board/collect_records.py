"""The records of a leaderboard: those on disk that were made under its protocol and on one split.

Needs no data and no GPU: what a record says of itself is enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.board.board import Entry as EntryName
from harness.board.board import LeftOut, RequiredRun, RunState
from harness.board.incomparable import metric_definition, other_protocol, other_split, other_version
from harness.config.protocol import Protocol, hash_for
from harness.contract.spec import Kind, ModelSpec, RunSpec
from harness.errors import HarnessError
from harness.plan.choice import Choice
from harness.plan.keys import scored_as_now, trained_as_now
from harness.plan.matrix import Matrix, PlannedEntry, seeds_and_folds
from harness.store.index import Index
from harness.store.record import Record, read_records, runs_left_out
from harness.store.runs import RunFolder, RunsFolder


@dataclass(frozen=True)
class Collected:
    """Comparable records, the runs that the leaderboard wants, and the finished ones that were left out.

    `kept` are records that are not compared and belong into the leaderboard's folder all the same: those
    of `left_out`, and committed failures that count again once the protocol is changed back.
    """

    records: tuple[Record, ...]
    planned: tuple[RequiredRun, ...]
    left_out: tuple[LeftOut, ...]
    kept: tuple[Record, ...] = ()


def collect(
    name: str,
    protocol: Protocol,
    matrix: Matrix,
    runs: RunsFolder,
    folder: Path,
    index: Index | None = None,
) -> Collected:
    """Gather the records of leaderboard `name` from `runs` and from the committed ones in `folder`.

    Entries that the leaderboard does not list belong to it if they were run for it and finished.
    Of records with different splits of a dataset, those on the split of the newest run count; without
    a run in `runs`, those on the split that the folder's table is of. Left out, with the reason, are
    finished runs of this leaderboard's entries that can't be compared, until one that can is finished
    of the same entry, seed and fold. `index` is the one of `runs`, asked for every record.
    """
    index = Index(runs.index) if index is None else index
    listed = {entry_name(entry): entry for entry in matrix.entries}
    found: dict[str, tuple[float, Record]] = {}
    left_out: dict[str, LeftOut] = {}
    apart: dict[str, Record] = {}
    hash_of = _hashes(protocol)
    folders = runs.all()
    for moment, record, committed in _on_disk(folders, folder, found, index):
        entry = EntryName.of(record.spec)
        here = committed or record.spec.leaderboard == name
        if entry not in listed and not (here and record.status == "done"):
            if committed:
                apart.setdefault(record.run_id, record)
            continue
        if not here and record.keys.get("protocol") != hash_of(record.spec.model):
            # Another leaderboard's run in the same folder.
            continue
        reason = _incomparable(record, protocol, hash_of, listed.get(entry))
        if reason is not None:
            if record.status == "done":
                left_out.setdefault(record.run_id, LeftOut(entry, record.run_id, reason))
            if record.status == "done" or committed:
                apart.setdefault(record.run_id, record)
        elif record.run_id not in found or found[record.run_id][1].status != "done" == record.status:
            # A finished run stays one, whatever a later attempt at it came to.
            found[record.run_id] = (moment, record)
    records, others = _one_split(found.values())
    left_out.update({one.run_id: one for one, _ in others})
    apart.update({one.run_id: record for one, record in others})
    used = {record.run_id for record in records}
    by_slot = {_slot(record.spec): record for record in records}
    kept = {run_id: one for run_id, one in apart.items() if run_id not in used and _kept(one, by_slot)}
    begun = {_slot(spec): run for run, spec in _unfinished(folders, hash_of, used)}
    planned = [
        _planned(entry, seed, fold, by_slot, begun)
        for entry in matrix.entries
        for seed, fold in seeds_and_folds(protocol)
    ]
    told = tuple(one for run_id, one in left_out.items() if run_id in kept)
    return Collected(tuple(records), tuple(planned), told, tuple(kept.values()))


def entry_name(entry: PlannedEntry) -> EntryName:
    """The entry as rankings name it."""
    return EntryName(entry.model.label, entry.loss.label, entry.dataset.label)


Slot = tuple[str, str, str, int, int]
"""Labels of model, loss and dataset, seed, fold."""

HashOf = Callable[[ModelSpec], str]
"""What the leaderboard's protocol hashes to for the model of a run."""


def _hashes(protocol: Protocol) -> HashOf:
    """`hash_for`, once for each kind of model: thousands of records are of two or three."""
    known: dict[tuple[bool, int | None], str] = {}

    def hash_of(model: ModelSpec) -> str:
        kind = (model.external, model.dims)
        if kind not in known:
            known[kind] = hash_for(protocol, model)
        return known[kind]

    return hash_of


def _incomparable(
    record: Record, protocol: Protocol, hash_of: HashOf, entry: PlannedEntry | None
) -> str | None:
    """Why a record can't stand beside the others of a leaderboard; None if it can."""
    if record.keys.get("protocol") != hash_of(record.spec.model):
        return other_protocol(record, protocol)
    if entry is not None and (versions := other_version(record, _versions(entry))):
        return versions
    if record.status != "done":
        return None
    if not trained_as_now(record.spec):
        return "trained by an earlier version of the harness, whose training differs"
    return None if scored_as_now(record.keys, record.spec) else metric_definition()


def _on_disk(
    runs: Iterable[RunFolder], folder: Path, found: Mapping[str, tuple[float, Record]], index: Index
) -> Iterable[tuple[float, Record, bool]]:
    """Records with the time that they were written, and whether they are committed ones.

    A committed one has no time. What the table beside it left out stands before all others, so that it
    is asked for a split last: without `runs` the folder gives the same tables again.
    Of the committed ones only those that a finished run in `found`, as filled so far, does not stand for.
    """
    for run in runs:
        try:
            record = index.record(run)
        except HarnessError:
            # A damaged record is not a result; the plan shows the run as to do.
            continue
        if record is not None:
            yield (run.path / "record.json").stat().st_mtime, record, False
    known = {run_id for run_id, (_, record) in found.items() if record.status == "done"}
    apart = runs_left_out(folder)
    for record in read_records(folder, known):
        yield (LEFT_OUT if record.run_id in apart else COMMITTED), record, True


COMMITTED, LEFT_OUT, UNFINISHED = 0.0, -1.0, -2.0
"""Stand for the time of records that have none, the first to be compared before the last."""


def _kept(record: Record, by_slot: Mapping[Slot, Record]) -> bool:
    """Whether nothing comparable has taken a record's place: a result gives way only to a result."""
    now = by_slot.get(_slot(record.spec))
    return now is None or (record.status == "done" != now.status)


def _one_split(
    found: Iterable[tuple[float, Record]],
) -> tuple[list[Record], list[tuple[LeftOut, Record]]]:
    """Of each dataset the records on one split of one state of the data, that of the newest finished run."""
    groups: dict[str, dict[tuple[str, str], list[tuple[float, Record]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for moment, record in found:
        ground = (record.keys["split"], record.spec.manifest_hash)
        groups[record.spec.dataset.label][ground].append((moment, record))
    kept: list[Record] = []
    left_out: list[tuple[LeftOut, Record]] = []
    for grounds in groups.values():
        newest = max(grounds.values(), key=_standing)
        kept += [record for _, record in newest]
        chosen = newest[0][1]
        left_out += [
            (LeftOut(EntryName.of(record.spec), record.run_id, other_split(record, chosen)), record)
            for group in grounds.values()
            for _, record in group
            if group is not newest and record.status == "done"
        ]
    return sorted(kept, key=lambda record: record.run_id), left_out


def _standing(group: Iterable[tuple[float, Record]]) -> tuple[float, int]:
    """When the newest finished run of a group ended, and how many there are; failed ones decide nothing."""
    finished = [moment for moment, record in group if record.status == "done"]
    return (max(finished), len(finished)) if finished else (UNFINISHED, 0)


def _slot(spec: RunSpec) -> Slot:
    return spec.model.label, spec.loss.label, spec.dataset.label, spec.seed, spec.fold


def _unfinished(
    runs: Iterable[RunFolder], hash_of: HashOf, finished: set[str]
) -> Iterable[tuple[RunFolder, RunSpec]]:
    for run in runs:
        if run.id in finished:
            continue
        try:
            spec = run.spec()
        except HarnessError:
            continue
        if spec.keys.get("protocol") == hash_of(spec.model):
            yield run, spec


def _planned(
    entry: PlannedEntry,
    seed: int,
    fold: int,
    by_slot: Mapping[Slot, Record],
    folders: Mapping[Slot, RunFolder],
) -> RequiredRun:
    name = entry_name(entry)
    params = {
        "model": dict(entry.model.params),
        "loss": dict(entry.loss.params),
        "dataset": dict(entry.dataset.params),
    }
    slot = (name.model, name.loss, name.dataset, seed, fold)
    record = by_slot.get(slot)
    state: RunState
    if record is not None:
        reason = None if record.failure is None else str(record.failure["message"])
        state = "done" if record.status == "done" else "failed"
        return RequiredRun(record.run_id, name, seed, fold, state, reason, params)
    if entry.skip is not None:
        return RequiredRun("", name, seed, fold, "skipped", entry.skip, params)
    run = folders.get(slot)
    if run is None:
        return RequiredRun("", name, seed, fold, "todo", None, params)
    state = "running" if run.busy() else "resume" if run.started() else "todo"
    return RequiredRun(run.id, name, seed, fold, state, None, params)


def _versions(entry: PlannedEntry) -> dict[Kind, int]:
    """Versions of model and loss now, as far as they are there. A dataset's content is in its manifest."""
    choices: dict[Kind, Choice] = {"model": entry.model, "loss": entry.loss}
    return {kind: choice.record.version for kind, choice in choices.items() if choice.plugin is not None}
