"""Entries whose records lie in another leaderboard, a folder, or a commit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.board.assign_records import check_comparable
from harness.board.board import Entry
from harness.errors import ConfigError, nearest
from harness.git import run_git
from harness.session.entries import SOURCE, FoundEntry, find_entries, group_by_entry, match_entry, records_of
from harness.session.open_leaderboard import open_leaderboard
from harness.session.workspace import Workspace
from harness.store.record import RECORDS, TABLE, Record, compared_records, parse_left_out, parse_records
from harness.store.runs import RunsFolder

COMMIT = "git:"


def find_anywhere(
    workspace: Workspace, names: Sequence[str], leaderboard: str | None = None, *, where: str
) -> list[FoundEntry]:
    """Every entry of `names`, in order, with its finished records.

    ``SOURCE::`` before a name says where its records are: a leaderboard's name, a folder with
    ``records.jsonl`` or of runs, or ``git:REVISION`` for the records of that commit. Entries without a
    source are all from one leaderboard: `leaderboard`, or the first that has them all.
    """
    plain = [name for name in names if SOURCE not in name]
    entries = iter(find_entries(workspace, plain, leaderboard, where=where)[1]) if plain else iter(())
    return [
        next(entries) if SOURCE not in name else _from_source(workspace, name, leaderboard, where)
        for name in names
    ]


def _from_source(workspace: Workspace, text: str, leaderboard: str | None, where: str) -> FoundEntry:
    source, _, name = text.rpartition(SOURCE)
    if source.startswith(COMMIT):
        by_entry = group_by_entry(_committed(workspace, source.removeprefix(COMMIT), leaderboard))
    elif Path(source).is_dir():
        by_entry = group_by_entry(_in_folder(Path(source)))
    else:
        by_entry = _of_leaderboard(workspace, source, where)
    entry = match_entry(name, by_entry, where)
    if entry is None:
        raise ConfigError(
            f"no finished runs of '{name}'", where=source, remedy=nearest(name, (e.name for e in by_entry))
        )
    _check_one_result(by_entry[entry], source)
    return FoundEntry(entry, by_entry[entry], source)


def _check_one_result(records: Sequence[Record], source: str) -> None:
    """HarnessError where these are several results of one entry: their mean would belong to none of them."""
    check_comparable(records)
    seen: dict[tuple[int, int], Record] = {}
    for record in records:
        slot = (record.spec.seed, record.spec.fold)
        other = seen.setdefault(slot, record)
        if other is not record:
            raise ConfigError(
                f"runs {other.run_id} and {record.run_id} are both of seed {slot[0]}, fold {slot[1]}",
                where=source,
                remedy="Name a leaderboard as the source, or a folder with one of them.",
            )


def _of_leaderboard(workspace: Workspace, name: str, where: str) -> dict[Entry, list[Record]]:
    known = workspace.project.settings.leaderboard
    if name not in known:
        raise ConfigError(
            f"'{name}' is neither a folder nor a leaderboard", where=where, remedy=nearest(name, known)
        )
    return records_of(open_leaderboard(workspace, name, absent=True))


def _in_folder(folder: Path) -> list[Record]:
    if (folder / RECORDS).exists():
        return compared_records(folder)
    records = [run.record() for run in RunsFolder(folder).all()]
    return [record for record in records if record is not None]


def _committed(workspace: Workspace, revision: str, leaderboard: str | None) -> Sequence[Record]:
    """The records that were committed at `revision`: of all leaderboards, or of `leaderboard`."""
    root = workspace.file.parent
    below = f"leaderboards/{leaderboard}" if leaderboard else "leaderboards"
    listed = _output(root, revision, "ls-tree", "-r", "--name-only", revision, "--", below).splitlines()
    records: list[Record] = []
    for path in (path for path in listed if path.endswith(f"/{RECORDS}")):
        left_out: set[str] = set()
        if (table := path.removesuffix(RECORDS) + TABLE) in listed:
            left_out = parse_left_out(_show(root, revision, table), f"{COMMIT}{revision}:{table}")
        records += parse_records(_show(root, revision, path), f"{COMMIT}{revision}:{path}", left_out)
    return records


def _show(root: Path, revision: str, path: str) -> str:
    # The project may be a subfolder of the repository: `ls-tree` gives paths relative to it, hence "./".
    return _output(root, revision, "show", f"{revision}:./{path}")


def _output(folder: Path, revision: str, *arguments: str) -> str:
    try:
        done = run_git(folder, *arguments)
    except OSError as error:
        raise ConfigError(f"git can't be run: {error.strerror}", where=f"{COMMIT}{revision}") from error
    if done.returncode:
        message = " ".join(done.stderr.split()) or f"code {done.returncode}"
        raise ConfigError(f"git says: {message}", where=f"{COMMIT}{revision}")
    return done.stdout
