"""The records of a leaderboard: those on disk that were made under its protocol and on one split.

Needs no data and no GPU: what a record says of itself is enough.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.board.assign_records import EntryRuns, UnfinishedRun, entry_name, required_runs
from harness.board.board import Entry, EntrySlot, LeftOut, entry_slot
from harness.board.incomparable import metric_definition, other_protocol, other_split, other_version
from harness.board.records_on_disk import StoredRecord, committed_records, records_of_runs
from harness.config.protocol import Protocol, hash_for
from harness.contract.spec import Kind, ModelSpec
from harness.errors import HarnessError
from harness.plan.choice import Choice
from harness.plan.keys import scored_as_now, trained_as_now
from harness.plan.matrix import Matrix, PlannedEntry
from harness.store.index import Index
from harness.store.record import Record
from harness.store.runs import RunFolder, RunsFolder

NEVER = -2.0
"""Stands for the time at which a group of records without a finished run was written."""


@dataclass(frozen=True)
class Collected:
    """Comparable records, the entries with the runs that they need, and the finished runs left out.

    `kept` are records that are not compared and belong into the leaderboard's folder all the same: those
    of `left_out`, and committed failures that count again once the protocol is changed back.
    """

    records: tuple[Record, ...]
    required: tuple[EntryRuns, ...]
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
    folders = runs.all()
    sorter = _Sorter(name, protocol, {entry_name(entry): entry for entry in matrix.entries})
    for stored in records_of_runs(folders, index):
        sorter.add(stored)
    # Of the committed records only those that no finished run stands for.
    for stored in committed_records(folder, sorter.finished()):
        sorter.add(stored)
    records, on_other_splits = _one_split(sorter.comparable.values())
    for left_out, record in on_other_splits:
        sorter.left_out[record.run_id] = left_out
        sorter.kept[record.run_id] = record
    by_slot = {entry_slot(record.spec): record for record in records}
    used = {record.run_id for record in records}
    kept = {
        run_id: record
        for run_id, record in sorter.kept.items()
        if run_id not in used and not _replaced(record, by_slot)
    }
    unfinished = _unfinished(folders, sorter, used)
    return Collected(
        tuple(records),
        required_runs(matrix, protocol, by_slot, unfinished),
        tuple(left_out for run_id, left_out in sorter.left_out.items() if run_id in kept),
        tuple(kept.values()),
    )


@dataclass
class _Sorter:
    """Sorts records, by run id, into those that the leaderboard may compare and the others.

    `left_out` are finished runs of its entries that can't be compared, `kept` the records that are not
    compared and stay in its folder. `recorded` are the run folders that have a record of the leaderboard.
    """

    name: str
    protocol: Protocol
    listed: Mapping[Entry, PlannedEntry]
    comparable: dict[str, StoredRecord] = field(default_factory=dict)
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    kept: dict[str, Record] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.hash_of = _hashes(self.protocol)

    def add(self, stored: StoredRecord) -> None:
        """Sort one record; those of run folders come before the committed ones."""
        record, committed = stored.record, stored.committed
        done = record.status == "done"
        entry = Entry.of(record.spec)
        of_this = committed or record.spec.leaderboard == self.name
        if entry not in self.listed and not (of_this and done):
            if committed:
                self.kept.setdefault(record.run_id, record)
            return
        if not of_this and not self.same_protocol(record.keys, record.spec.model):
            # Another leaderboard's run in the same folder.
            return
        if not committed:
            self.recorded.add(record.run_id)
        reason = self._incomparable(record, self.listed.get(entry))
        if reason is None:
            self._compare(stored)
            return
        if done:
            self.left_out.setdefault(record.run_id, LeftOut(entry, record.run_id, reason))
        if done or committed:
            self.kept.setdefault(record.run_id, record)

    def _compare(self, stored: StoredRecord) -> None:
        before = self.comparable.get(stored.record.run_id)
        # A finished run stays one, whatever a later attempt at it came to.
        if before is None or (before.record.status != "done" and stored.record.status == "done"):
            self.comparable[stored.record.run_id] = stored

    def finished(self) -> set[str]:
        """The comparable runs that are done, of those sorted so far."""
        return {run_id for run_id, stored in self.comparable.items() if stored.record.status == "done"}

    def same_protocol(self, keys: Mapping[str, str], model: ModelSpec) -> bool:
        """True for a run under the leaderboard's protocol."""
        return keys.get("protocol") == self.hash_of(model)

    def _incomparable(self, record: Record, entry: PlannedEntry | None) -> str | None:
        """Why a record can't stand beside the others; None if it can."""
        if not self.same_protocol(record.keys, record.spec.model):
            return other_protocol(record, self.protocol)
        if entry is not None and (versions := other_version(record, _versions(entry))):
            return versions
        if record.status != "done":
            return None
        if not trained_as_now(record.spec):
            return "trained by an earlier version of the harness, whose training differs"
        return None if scored_as_now(record.keys, record.spec) else metric_definition()


def _hashes(protocol: Protocol) -> Callable[[ModelSpec], str]:
    """The protocol's hash for the model of a run, computed once a kind of model.

    Thousands of records are of two or three kinds.
    """
    known: dict[tuple[bool, int | None], str] = {}

    def hash_of(model: ModelSpec) -> str:
        kind = (model.external, model.dims)
        if kind not in known:
            known[kind] = hash_for(protocol, model)
        return known[kind]

    return hash_of


def _versions(entry: PlannedEntry) -> dict[Kind, int]:
    """Today's versions of model and loss, where registered. A dataset's content is in its manifest."""
    choices: dict[Kind, Choice] = {"model": entry.model, "loss": entry.loss}
    return {kind: choice.record.version for kind, choice in choices.items() if choice.plugin is not None}


def _replaced(record: Record, by_slot: Mapping[EntrySlot, Record]) -> bool:
    """True if a comparable record fills the same slot: only a result replaces a result."""
    now = by_slot.get(entry_slot(record.spec))
    return now is not None and (record.status != "done" or now.status == "done")


def _one_split(stored: Iterable[StoredRecord]) -> tuple[list[Record], list[tuple[LeftOut, Record]]]:
    """Of each dataset the records on the split and data of the newest finished run, and the others."""
    groups: dict[str, dict[tuple[str, str], list[StoredRecord]]] = defaultdict(lambda: defaultdict(list))
    for one in stored:
        split = (one.record.keys["split"], one.record.spec.manifest_hash)
        groups[one.record.spec.dataset.label][split].append(one)
    chosen: list[Record] = []
    others: list[tuple[LeftOut, Record]] = []
    for by_split in groups.values():
        newest = max(by_split.values(), key=_newest_finished)
        chosen += [one.record for one in newest]
        example = newest[0].record
        others += [
            (LeftOut(Entry.of(record.spec), record.run_id, other_split(record, example)), record)
            for group in by_split.values()
            for record in (one.record for one in group)
            if group is not newest and record.status == "done"
        ]
    return sorted(chosen, key=lambda record: record.run_id), others


def _newest_finished(group: Iterable[StoredRecord]) -> tuple[float, int]:
    """When the newest finished run was written, and how many there are; failed ones decide nothing."""
    written = [one.written for one in group if one.record.status == "done"]
    return (max(written), len(written)) if written else (NEVER, 0)


def _unfinished(
    folders: Iterable[RunFolder], sorter: _Sorter, used: set[str]
) -> dict[EntrySlot, UnfinishedRun]:
    """Runs under the leaderboard's protocol whose records are not compared, by the slot that they would fill.

    A finished one that was left out stands back behind one that is on its way.
    """
    found: dict[EntrySlot, UnfinishedRun] = {}
    for folder in folders:
        if folder.id in used or (folder.id in sorter.recorded and folder.id not in sorter.left_out):
            # Compared, or a failure of another version or on other data: neither is a run on its way.
            continue
        try:
            spec = folder.spec()
        except HarnessError:
            continue
        slot, left_out = entry_slot(spec), sorter.left_out.get(folder.id)
        if sorter.same_protocol(spec.keys, spec.model) and (left_out is None or slot not in found):
            found[slot] = UnfinishedRun(folder, spec, None if left_out is None else left_out.reason)
    return found
