"""Which record fills which planned run; what is missing, failed, or not of the plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.board.board import Entry, EntryState, RequiredRun, RunResult, params_of
from harness.contract.spec import KINDS
from harness.errors import HarnessError
from harness.store.record import Record

Slot = tuple[int, int]
"""A seed and a fold."""


@dataclass(frozen=True)
class Matched:
    """An entry, its runs, and the records of those that are done."""

    entry: Entry
    params: Mapping[str, Any]
    runs: tuple[RunResult, ...]
    records: tuple[Record, ...]


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


def match(
    records: Sequence[Record], planned: Sequence[RequiredRun]
) -> tuple[list[Matched], dict[str, list[Slot]], list[Record]]:
    """Entries with their runs, the seeds and folds that each dataset needs, and unused finished records.

    An entry that is planned takes the records with its planned run ids. An entry that only
    has records (somebody ran it, this plan does not name it) needs the same seeds and folds.
    """
    slots = _needed(records, planned)
    by_id: dict[str, Record] = {}
    for record in records:
        if record.run_id not in by_id or record.status == "done":
            by_id[record.run_id] = record
    plans: dict[Entry, list[RequiredRun]] = defaultdict(list)
    for run in planned:
        plans[run.entry].append(run)
    found: dict[Entry, list[Record]] = defaultdict(list)
    for record in by_id.values():
        found[Entry.of(record.spec)].append(record)

    entries = [_planned(entry, plans[entry], slots[entry.dataset], by_id) for entry in plans]
    entries += [
        _unplanned(entry, found[entry], slots[entry.dataset]) for entry in found if entry not in plans
    ]
    used = {record.run_id for matched in entries for record in matched.records}
    unused = [r for r in by_id.values() if r.status == "done" and r.run_id not in used]
    return entries, slots, unused


def state_of(runs: Sequence[RunResult]) -> EntryState:
    """An entry's state from its runs: done only if every one is."""
    states = {run.state for run in runs}
    if states == {"done"}:
        return "done"
    for state in ("failed", "running"):
        if state in states:
            return state
    if states & {"done", "resume"}:
        return "incomplete"
    return "skipped" if "skipped" in states else "todo"


def _needed(records: Iterable[Record], planned: Iterable[RequiredRun]) -> dict[str, list[Slot]]:
    slots: dict[str, set[Slot]] = defaultdict(set)
    for run in planned:
        slots[run.entry.dataset].add((run.seed, run.fold))
    unplanned: dict[str, set[Slot]] = defaultdict(set)
    for record in records:
        unplanned[record.spec.dataset.label].add(_slot(record))
    return {name: sorted(found) for name, found in {**unplanned, **slots}.items()}


def _slot(record: Record) -> Slot:
    return record.spec.seed, record.spec.fold


def _planned(
    entry: Entry, plan: Sequence[RequiredRun], slots: Iterable[Slot], by_id: Mapping[str, Record]
) -> Matched:
    at = {(run.seed, run.fold): run for run in plan}
    runs, records = [], []
    for seed, fold in slots:
        run = at.get((seed, fold))
        if run is None:
            runs.append(RunResult(None, seed, fold, "todo", "not planned for this entry"))
            continue
        record = by_id.get(run.run_id)
        runs.append(_looked_at(run, record))
        if runs[-1].state == "done" and record is not None:
            records.append(record)
    params = params_of(records[0].spec) if records else dict(plan[0].params)
    return Matched(entry, params, tuple(runs), tuple(records))


def _looked_at(run: RequiredRun, record: Record | None) -> RunResult:
    if record is not None and record.status == "done":
        return RunResult(run.run_id, run.seed, run.fold, "done")
    if record is not None and run.state not in ("running", "skipped"):
        return _unfinished(record)
    if run.state == "done":
        return RunResult(run.run_id, run.seed, run.fold, "todo", "its record is missing")
    return RunResult(run.run_id, run.seed, run.fold, run.state, run.reason)


def _unfinished(record: Record) -> RunResult:
    failure = record.failure or {}
    reason = str(failure.get("message") or record.status)
    if record.status == "interrupted":
        return RunResult(record.run_id, *_slot(record), "resume", reason)
    if record.status != "failed" and record.status.replace("-", " ") not in reason:
        reason = f"{record.status}: {reason}"
    return RunResult(record.run_id, *_slot(record), "failed", reason)


def _unplanned(entry: Entry, found: Sequence[Record], slots: Iterable[Slot]) -> Matched:
    runs, records = [], []
    if found[0].spec.model.external:
        # Predictions made elsewhere are scored once, whatever seeds others are run with.
        slots = [(seed, fold) for seed, fold in slots if seed == found[0].spec.seed]
    for seed, fold in slots:
        record = _newest([r for r in found if _slot(r) == (seed, fold)])
        if record is None:
            runs.append(RunResult(None, seed, fold, "todo"))
        elif record.status == "done":
            runs.append(RunResult(record.run_id, seed, fold, "done"))
            records.append(record)
        else:
            runs.append(_unfinished(record))
    return Matched(entry, params_of(found[0].spec), tuple(runs), tuple(records))


def _newest(candidates: Sequence[Record]) -> Record | None:
    """The record of the highest plugin versions; finished ones first."""
    if not candidates:
        return None

    def age(record: Record) -> tuple[int, ...]:
        versions = (record.spec.plugin(kind).version for kind in KINDS)
        return (int(record.status == "done"), *versions)

    best = max(age(r) for r in candidates)
    same = [r for r in candidates if age(r) == best]
    if len(same) > 1 and best[0]:
        raise HarnessError(
            f"runs {same[0].run_id} and {same[1].run_id} are both {Entry.of(same[0].spec).name}, "
            f"seed {same[0].spec.seed}, fold {same[0].spec.fold}",
            remedy="Remove one of the two records.",
        )
    return same[0]
