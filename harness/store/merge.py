"""Merge the records of several machines: a run is copied as a whole, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.store.atomic import storage_errors
from harness.store.record import Record, compared_records
from harness.store.runs import Busy, RunFolder, RunsFolder

KEPT = ("spec.json", "cases.jsonl", "log.txt", "predictions", "weights.pt", "record.json")
"""The files of a run that are copied, its record last; paths of the other machine are not."""

EXTRAS = ("predictions", "weights.pt")
"""Files that a finished run may lack."""


@dataclass(frozen=True)
class Merged:
    """Run ids, each once.

    `taken` over; `completed`: the same as here, but for predictions or weights that were missing; the
    `same`; in `conflict` with one here; not finished, or at work here (`open`).
    """

    taken: tuple[str, ...]
    completed: tuple[str, ...]
    same: tuple[str, ...]
    conflict: tuple[str, ...]
    open: tuple[str, ...]


def merge(sources: Sequence[Path], runs: RunsFolder, *, weights: bool = False) -> Merged:
    """Bring the finished runs of `sources` into `runs`.

    Each is a folder of runs, a project with one, or a leaderboard's folder with ``records.jsonl``, of
    which comes what its tables compare. A run that is done here and there is the same if it has the
    same keys and scores, else in conflict: nothing of that one is touched. `weights` takes those over
    too. HarnessError, before anything is taken, for a folder without any record, a damaged record, and
    one whose run has no proper name.
    """
    found = [one for source in sources for one in _all(source)]
    ids: dict[str, str] = {}
    for run_id, folder, record in found:
        now = _one(run_id, folder, record, runs, weights=weights)
        # Two sources may have one run: what it came to first stays, unless there was something wrong.
        if ids.get(run_id) in (None, "open", "same") or now == "conflict":
            ids[run_id] = now
    names = ("taken", "completed", "same", "conflict", "open")
    return Merged(*(tuple(run_id for run_id, what in ids.items() if what == name) for name in names))


_Found = tuple[str, RunFolder | None, Record | None]


def _all(source: Path) -> list[_Found]:
    found = list(_finished(source))
    if not found:
        raise HarnessError(
            "holds no runs and no records.jsonl",
            where=source,
            remedy="Give a folder of runs, a project, or a folder of leaderboards/.",
        )
    for run_id, _, record in found:
        if record is not None:
            _check(run_id, record, source)
    return found


def _finished(source: Path) -> Iterator[_Found]:
    """Each run with its folder, where it has one, and its record."""
    below = source / "runs"
    for folder in RunsFolder(below if below.is_dir() else source).all():
        yield folder.id, folder, folder.record()
    for record in _committed(source):
        yield record.run_id, None, record


def _committed(source: Path) -> Iterable[Record]:
    """What is compared there: what its tables left out would, once here, be of the newest runs."""
    return compared_records(source) if (source / "records.jsonl").is_file() else ()


def _check(run_id: str, record: Record, source: Path) -> None:
    """A run's id becomes a folder's name here: one from elsewhere must be a name and nothing else."""
    plain = run_id and Path(run_id).name == run_id and not run_id.startswith(".")
    if not plain or record.run_id != run_id or record.spec.run_id not in ("", run_id):
        raise HarnessError(
            f"has a record of run {record.run_id!r} that is not that of a run by this name",
            where=source,
            remedy="Nothing was taken over. Remove that record there.",
        )


def _one(
    run_id: str, folder: RunFolder | None, record: Record | None, runs: RunsFolder, *, weights: bool
) -> str:
    if record is None or record.status != "done":
        return "open"
    own = runs.run(run_id)
    with storage_errors(runs.path):
        own.path.mkdir(parents=True, exist_ok=True)
    try:
        # Held while it is changed: a worker may start on the run meanwhile.
        with own.locked():
            return _held(own, folder, record, weights=weights)
    except Busy:
        return "open"


def _held(own: RunFolder, folder: RunFolder | None, record: Record, *, weights: bool) -> str:
    here = own.record()
    if here is None or here.status != "done":
        _take(own, folder, record, weights=weights)
        return "taken"
    if dict(here.keys) != dict(record.keys) or _scores(here) != _scores(record):
        return "conflict"
    lacks = [
        name
        for name in EXTRAS
        if folder is not None
        and (folder.path / name).exists()
        and not (own.path / name).exists()
        and (weights or name != "weights.pt")
    ]
    for name in lacks:
        assert folder is not None
        _copy(folder.path / name, own.path / name)
    return "completed" if lacks else "same"


def _scores(record: Record) -> list[str]:
    return sorted(map(repr, record.cases))


def _take(own: RunFolder, folder: RunFolder | None, record: Record, *, weights: bool) -> None:
    """Copy a run that is not finished here and that the other machine has finished."""
    if folder is None:
        _clear(own)
        own.plan(record.spec)
        own.finish(record)
        return
    names = [name for name in KEPT if (folder.path / name).exists() and (weights or name != "weights.pt")]
    copies = {name: own.path / f".{name}.{os.getpid()}.new" for name in names}
    try:
        # Copy everything first: files of the run here are removed only when no copy can fail any more.
        for name, copy in copies.items():
            _copy(folder.path / name, copy)
        _clear(own)
        with storage_errors(own.path):
            for name, copy in copies.items():
                copy.rename(own.path / name)
    finally:
        for copy in copies.values():
            _remove(copy)


def _clear(own: RunFolder) -> None:
    """Remove a run's files, its record first: if this is interrupted, the run is not done."""
    own.reopen()
    with storage_errors(own.path):
        for path in own.path.iterdir():
            if not path.name.startswith("."):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy completely, then rename: `target` is never half written."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    with storage_errors(target):
        try:
            _remove(part)
            if source.is_dir():
                shutil.copytree(source, part)
            else:
                shutil.copy2(source, part)
            part.rename(target)
        finally:
            _remove(part)
