"""Merge the records of several machines: a run is copied completely or not at all."""

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
"""The files of a run that are copied, its record last; ``local.json`` has paths of the other machine."""

EXTRAS = ("predictions", "weights.pt")
"""Files that a finished run may lack."""


@dataclass(frozen=True)
class Merged:
    """Run ids by what was done, each once.

    `taken` runs were copied. `completed` ones were here already, and got predictions or weights that were
    missing. The `same` were here already. Those in `conflict` differ from the run here and were not copied,
    nor were `open` ones, which have not finished there, or are active here.
    """

    taken: tuple[str, ...]
    completed: tuple[str, ...]
    same: tuple[str, ...]
    conflict: tuple[str, ...]
    open: tuple[str, ...]


def merge(sources: Sequence[Path], runs: RunsFolder, *, weights: bool = False) -> Merged:
    """Copy the finished runs of `sources` into `runs`.

    Each source is a folder of runs, a project with one, or a leaderboard's folder with ``records.jsonl``, of
    which the records that its tables compare are copied. A run that is done here and there is the same if
    it has the same keys and scores; otherwise it is in conflict and left unchanged. With `weights`, weights
    are copied too. HarnessError, before anything is copied, for a folder without any record, a damaged
    record, and a run whose id is not a valid name.
    """
    candidates = [candidate for source in sources for candidate in _all(source)]
    results: dict[str, str] = {}
    for run_id, folder, record in candidates:
        result = _merge_run(run_id, folder, record, runs, weights=weights)
        # Two sources may have the same run: the first result is kept, unless the second is a conflict.
        if results.get(run_id) in (None, "open", "same") or result == "conflict":
            results[run_id] = result
    names = ("taken", "completed", "same", "conflict", "open")
    return Merged(*(tuple(run_id for run_id, result in results.items() if result == name) for name in names))


_Candidate = tuple[str, RunFolder | None, Record | None]


def _all(source: Path) -> list[_Candidate]:
    candidates = list(_candidates(source))
    if not candidates:
        raise HarnessError(
            "holds no runs and no records.jsonl",
            where=source,
            remedy="Give a folder of runs, a project, or a folder of leaderboards/.",
        )
    for run_id, _, record in candidates:
        if record is not None:
            _check(run_id, record, source)
    return candidates


def _candidates(source: Path) -> Iterator[_Candidate]:
    """Each run with its folder, where it has one, and its record."""
    below = source / "runs"
    for folder in RunsFolder(below if below.is_dir() else source).all():
        yield folder.id, folder, folder.record()
    for record in _committed(source):
        yield record.run_id, None, record


def _committed(source: Path) -> Iterable[Record]:
    """The records that its tables compare. Those left out must not become the newest runs here."""
    return compared_records(source) if (source / "records.jsonl").is_file() else ()


def _check(run_id: str, record: Record, source: Path) -> None:
    """HarnessError unless `run_id` is a plain name: it becomes the name of a folder here."""
    plain = run_id and Path(run_id).name == run_id and not run_id.startswith(".")
    if not plain or record.run_id != run_id or record.spec.run_id not in ("", run_id):
        raise HarnessError(
            f"has a record of run {record.run_id!r} that is not that of a run by this name",
            where=source,
            remedy="Nothing was taken over. Remove that record there.",
        )


def _merge_run(
    run_id: str, folder: RunFolder | None, record: Record | None, runs: RunsFolder, *, weights: bool
) -> str:
    if record is None or record.status != "done":
        return "open"
    target = runs.run(run_id)
    with storage_errors(runs.path):
        target.path.mkdir(parents=True, exist_ok=True)
    try:
        # The run is held while it changes, so that no worker starts on it.
        with target.locked():
            return _merge_held(target, folder, record, weights=weights)
    except Busy:
        return "open"


def _merge_held(target: RunFolder, folder: RunFolder | None, record: Record, *, weights: bool) -> str:
    here = target.record()
    if here is None or here.status != "done":
        _replace(target, folder, record, weights=weights)
        return "taken"
    if dict(here.keys) != dict(record.keys) or _scores(here) != _scores(record):
        return "conflict"
    lacks = [
        name
        for name in EXTRAS
        if folder is not None
        and (folder.path / name).exists()
        and not (target.path / name).exists()
        and (weights or name != "weights.pt")
    ]
    for name in lacks:
        assert folder is not None
        _copy(folder.path / name, target.path / name)
    return "completed" if lacks else "same"


def _scores(record: Record) -> list[str]:
    return sorted(map(repr, record.cases))


def _replace(target: RunFolder, folder: RunFolder | None, record: Record, *, weights: bool) -> None:
    """Copy a run that is not finished here and that the other machine has finished."""
    if folder is None:
        _clear(target)
        target.plan(record.spec)
        target.finish(record)
        return
    names = [name for name in KEPT if (folder.path / name).exists() and (weights or name != "weights.pt")]
    copies = {name: target.path / f".{name}.{os.getpid()}.new" for name in names}
    try:
        # Copy everything first: files of the run here are removed only after all copies have succeeded.
        for name, copy in copies.items():
            _copy(folder.path / name, copy)
        _clear(target)
        with storage_errors(target.path):
            for name, copy in copies.items():
                copy.rename(target.path / name)
    finally:
        for copy in copies.values():
            _remove(copy)


def _clear(target: RunFolder) -> None:
    """Remove a run's files, its record first: if this is interrupted, the run is not done."""
    target.reopen()
    with storage_errors(target.path):
        for path in target.path.iterdir():
            if not path.name.startswith("."):
                _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy completely, then rename: `target` is never incomplete."""
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
