"""Records of several machines brought together: a run is taken over whole, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.store.atomic import storage_errors, write_json
from harness.store.record import Record, read_records
from harness.store.runs import RunFolder, RunsFolder

KEPT = ("spec.json", "record.json", "cases.jsonl", "log.txt", "predictions", "weights.pt")
"""What is taken over of a run. Where things lay on the other machine is nobody's business here."""


@dataclass(frozen=True)
class Merged:
    """Run ids: `taken` over, the `same` as here, in `conflict` with one here, or not finished (`open`)."""

    taken: tuple[str, ...]
    same: tuple[str, ...]
    conflict: tuple[str, ...]
    open: tuple[str, ...]


def merge(source: Path, runs: RunsFolder, *, weights: bool = False) -> Merged:
    """Bring the finished runs of `source` into `runs`.

    `source` is a folder of runs, a project with one, or a leaderboard's folder with
    ``records.jsonl``. A run that is done here and there is the same if it has the same keys and scores,
    else in conflict: nothing of that one is touched. `weights` takes those over too. HarnessError for a
    folder without any record, and for a damaged record.
    """
    found = list(_finished(source))
    ids: dict[str, list[str]] = {"taken": [], "same": [], "conflict": [], "open": []}
    for run_id, folder, record in found:
        ids[_one(run_id, folder, record, runs, weights=weights)].append(run_id)
    if not found:
        raise HarnessError(
            "holds no runs and no records.jsonl",
            where=source,
            remedy="Give a folder of runs, a project, or a folder of leaderboards/.",
        )
    return Merged(*(tuple(ids[name]) for name in ("taken", "same", "conflict", "open")))


_Found = tuple[str, RunFolder | None, Record | None]


def _finished(source: Path) -> Iterator[_Found]:
    """Each run with its folder, where it has one, and its record."""
    below = source / "runs"
    for folder in RunsFolder(below if below.is_dir() else source).all():
        yield folder.id, folder, folder.record()
    for record in _committed(source):
        yield record.run_id, None, record


def _committed(source: Path) -> Iterable[Record]:
    return read_records(source) if (source / "records.jsonl").is_file() else ()


def _one(
    run_id: str, folder: RunFolder | None, record: Record | None, runs: RunsFolder, *, weights: bool
) -> str:
    if record is None or record.status != "done":
        return "open"
    own = runs.run(run_id)
    here = own.record()
    if here is not None and here.status == "done":
        agree = dict(here.keys) == dict(record.keys) and sorted(map(repr, here.cases)) == sorted(
            map(repr, record.cases)
        )
        return "same" if agree else "conflict"
    if own.busy():
        return "open"
    _take(run_id, folder, record, runs, weights=weights)
    return "taken"


def _take(run_id: str, folder: RunFolder | None, record: Record, runs: RunsFolder, *, weights: bool) -> None:
    """Copy beside, then rename: a copy that was cut off is never taken for a run."""
    new = runs.path / f".{run_id}.{os.getpid()}.new"
    with storage_errors(runs.path):
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
    try:
        if folder is None:
            write_json(new / "spec.json", dict(record.spec))
            RunFolder(new).finish(record)
        else:
            _copy(folder.path, new, weights=weights)
        with storage_errors(runs.path):
            own = runs.run(run_id).path
            if own.exists():
                # Begun or failed here; the other machine has finished it.
                shutil.rmtree(own)
            new.rename(own)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _copy(source: Path, target: Path, *, weights: bool) -> None:
    with storage_errors(target):
        for name in KEPT:
            one = source / name
            if one.is_dir():
                shutil.copytree(one, target / name)
            elif one.exists() and (weights or name != "weights.pt"):
                shutil.copy2(one, target / name)
