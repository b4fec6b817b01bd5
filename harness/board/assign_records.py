"""The records of a leaderboard, assigned to the runs that its entries need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.board.board import Entry, EntrySlot, RequiredRun, Slot, entry_slot, params_of
from harness.config.protocol import Protocol
from harness.contract.spec import KINDS, RunSpec
from harness.errors import HarnessError
from harness.plan.matrix import Matrix, PlannedEntry, seeds_and_folds
from harness.store.record import Record
from harness.store.runs import RunFolder
from harness.store.state import RunState, failure_reason, state_of


@dataclass(frozen=True)
class EntryRuns:
    """An entry, the runs that it needs, and the records of those that are done.

    `params` are those of its plugins (see `params_of`).
    """

    entry: Entry
    params: Mapping[str, Any]
    runs: tuple[RequiredRun, ...]
    records: tuple[Record, ...] = ()


@dataclass(frozen=True)
class UnfinishedRun:
    """A run folder without a record that may be compared; `left_out` says why its record may not."""

    folder: RunFolder
    spec: RunSpec
    left_out: str | None = None

    def required(self, slot: Slot) -> RequiredRun:
        """What is known of the run that fills a slot."""
        known = state_of(self.folder, self.spec)
        if known.state is RunState.DONE:
            return RequiredRun(self.folder.id, *slot, RunState.OUTDATED, self.left_out)
        reason = known.reason if known.state is RunState.FAILED else None
        return RequiredRun(self.folder.id, *slot, known.state, reason)


def entry_name(entry: PlannedEntry) -> Entry:
    """A planned entry as rankings name it."""
    return Entry(entry.model.label, entry.loss.label, entry.dataset.label)


def required_runs(
    matrix: Matrix,
    protocol: Protocol,
    records: Mapping[EntrySlot, Record],
    unfinished: Mapping[EntrySlot, UnfinishedRun],
) -> tuple[EntryRuns, ...]:
    """The entries that a leaderboard lists, with the runs that each needs and their states."""
    slots = [Slot(seed, fold) for seed, fold in seeds_and_folds(protocol)]
    return tuple(_required(entry, slots, records, unfinished) for entry in matrix.entries)


def _required(
    entry: PlannedEntry,
    slots: Iterable[Slot],
    records: Mapping[EntrySlot, Record],
    unfinished: Mapping[EntrySlot, UnfinishedRun],
) -> EntryRuns:
    name = entry_name(entry)
    params: dict[str, Any] = {kind: dict(getattr(entry, kind).params) for kind in KINDS}
    runs = []
    for slot in slots:
        if (record := records.get((name, slot))) is not None:
            runs.append(recorded(record))
        elif entry.skip is not None:
            runs.append(RequiredRun("", *slot, RunState.SKIPPED, entry.skip))
        elif (run := unfinished.get((name, slot))) is not None:
            runs.append(run.required(slot))
        else:
            runs.append(RequiredRun("", *slot, RunState.WAITING))
    return EntryRuns(name, params, tuple(runs))


def recorded(record: Record) -> RequiredRun:
    """The required run that `record` is of."""
    slot = Slot(record.spec.seed, record.spec.fold)
    if record.status == "done":
        return RequiredRun(record.run_id, *slot, RunState.DONE)
    return RequiredRun(record.run_id, *slot, RunState.FAILED, failure_reason(record))


def assign(
    records: Sequence[Record], required: Iterable[EntryRuns]
) -> tuple[list[EntryRuns], dict[str, list[Slot]], list[Record]]:
    """Entries with their records, the slots that each dataset needs, and finished records of no slot.

    An entry in `required` takes the records with the ids of its runs. An entry that only has records
    (somebody ran it, the leaderboard does not list it) needs the same seeds and folds.
    """
    listed = _by_entry(required)
    by_id: dict[str, Record] = {}
    for record in records:
        if record.run_id not in by_id or record.status == "done":
            by_id[record.run_id] = record
    unlisted: dict[Entry, list[Record]] = defaultdict(list)
    for record in by_id.values():
        if (entry := Entry.of(record.spec)) not in listed:
            unlisted[entry].append(record)
    slots = _slots(records, listed.values())
    entries = [_listed(runs, slots[runs.entry.dataset], by_id) for runs in listed.values()]
    entries += [_unlisted(entry, own, slots[entry.dataset]) for entry, own in unlisted.items()]
    used = {record.run_id for runs in entries for record in runs.records}
    unused = [r for r in by_id.values() if r.status == "done" and r.run_id not in used]
    return entries, slots, unused


def _by_entry(required: Iterable[EntryRuns]) -> dict[Entry, EntryRuns]:
    """The runs of each entry in one place."""
    found: dict[Entry, EntryRuns] = {}
    for runs in required:
        before = found.get(runs.entry)
        found[runs.entry] = runs if before is None else replace(before, runs=(*before.runs, *runs.runs))
    return found


def _slots(records: Iterable[Record], required: Iterable[EntryRuns]) -> dict[str, list[Slot]]:
    """By dataset: what its listed entries need; where it has none, whatever was run."""
    listed: dict[str, set[Slot]] = defaultdict(set)
    for runs in required:
        listed[runs.entry.dataset] |= {Slot(run.seed, run.fold) for run in runs.runs}
    found: dict[str, set[Slot]] = defaultdict(set)
    for record in records:
        entry, slot = entry_slot(record.spec)
        found[entry.dataset].add(slot)
    return {dataset: sorted(slots) for dataset, slots in {**found, **listed}.items()}


def _listed(required: EntryRuns, slots: Iterable[Slot], by_id: Mapping[str, Record]) -> EntryRuns:
    by_slot = {Slot(run.seed, run.fold): run for run in required.runs}
    missing = "not planned for this entry"
    runs = [
        _checked(by_slot[slot], by_id)
        if slot in by_slot
        else RequiredRun(None, *slot, RunState.WAITING, missing)
        for slot in slots
    ]
    records = _records_of(runs, by_id)
    params = params_of(records[0].spec) if records else required.params
    return EntryRuns(required.entry, params, tuple(runs), records)


def _checked(run: RequiredRun, by_id: Mapping[str, Record]) -> RequiredRun:
    """A required run, with what its record says: that counts more than what was known of the run before."""
    record = None if run.run_id is None else by_id.get(run.run_id)
    if record is None:
        if run.state is not RunState.DONE:
            return run
        return replace(run, state=RunState.WAITING, reason="its record is missing")
    if record.status != "done" and run.state in (RunState.RUNNING, RunState.SKIPPED):
        return run
    return replace(recorded(record), seed=run.seed, fold=run.fold)


def _unlisted(entry: Entry, records: Sequence[Record], slots: Iterable[Slot]) -> EntryRuns:
    if records[0].spec.model.external:
        # External predictions are scored once, whatever seeds the other entries are run with.
        slots = [slot for slot in slots if slot.seed == records[0].spec.seed]
    runs = []
    for slot in slots:
        record = _newest([record for record in records if entry_slot(record.spec)[1] == slot])
        runs.append(RequiredRun(None, *slot, RunState.WAITING) if record is None else recorded(record))
    by_id = {record.run_id: record for record in records}
    return EntryRuns(entry, params_of(records[0].spec), tuple(runs), _records_of(runs, by_id))


def _records_of(runs: Iterable[RequiredRun], by_id: Mapping[str, Record]) -> tuple[Record, ...]:
    return tuple(by_id[run.run_id] for run in runs if run.state is RunState.DONE and run.run_id is not None)


def _newest(candidates: Sequence[Record]) -> Record | None:
    """The record of the highest plugin versions; finished ones first.

    HarnessError for two finished ones of the same versions.
    """
    if not candidates:
        return None

    def age(record: Record) -> tuple[int, ...]:
        versions = (record.spec.plugin(kind).version for kind in KINDS)
        return (int(record.status == "done"), *versions)

    best = max(age(record) for record in candidates)
    same = [record for record in candidates if age(record) == best]
    if len(same) > 1 and best[0]:
        raise HarnessError(
            f"runs {same[0].run_id} and {same[1].run_id} are both {Entry.of(same[0].spec).name}, "
            f"seed {same[0].spec.seed}, fold {same[0].spec.fold}",
            remedy="Remove one of the two records.",
        )
    return same[0]


def check_comparable(records: Iterable[Record]) -> None:
    """HarnessError if records of one dataset were made on different splits or under different protocols.

    A protocol is resolved for 2D or 3D, so it is compared among models of the same dimensions.
    """
    seen: dict[tuple[str, str, object], Record] = {}
    for record in records:
        dataset, dims = record.spec.dataset.label, record.spec.model.dims
        for what, scope in (("split", None), ("protocol", dims)):
            key = record.keys.get(what)
            other = seen.setdefault((what, dataset, scope), record)
            if key != other.keys.get(what):
                raise HarnessError(
                    f"runs {other.run_id} and {record.run_id} were made with different {what}s",
                    where=f"dataset {dataset}",
                    remedy="They can't be ranked together; select the records of one.",
                )
