"""Records from elsewhere: another leaderboard, a folder, or a commit."""

from __future__ import annotations

import argparse
import copy
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.support import board as boards
from harness.cli.support.entries import SOURCE, FoundEntry, by_entry, find_entries, match, of_board
from harness.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.board.board import Entry
    from harness.store.record import Record

COMMIT = "git:"


def find_anywhere(args: argparse.Namespace) -> list[FoundEntry]:
    """Every entry of ``args.entries``, in order.

    Before ``::`` stands where its records are: a leaderboard's name, a folder with
    ``records.jsonl`` or of runs, or ``git:REVISION`` for what was committed then. Entries without a
    source are of one leaderboard.
    """
    plain = [text for text in args.entries if SOURCE not in text]
    found = iter(find_entries(args, plain)[1]) if plain else iter(())
    return [next(found) if SOURCE not in text else _from(args, text) for text in args.entries]


def _from(args: argparse.Namespace, text: str) -> FoundEntry:
    source, _, name = text.rpartition(SOURCE)
    if source.startswith(COMMIT):
        known = by_entry(_committed(args, source.removeprefix(COMMIT)))
    elif Path(source).is_dir():
        known = by_entry(_in_folder(Path(source)))
    else:
        known = _of_leaderboard(args, source)
    entry = match(name, known, args.verb)
    if entry is None:
        raise ConfigError(
            f"no finished runs of '{name}'", where=source, remedy=nearest(name, (e.name for e in known))
        )
    _check_one_result(known[entry], source)
    return FoundEntry(entry, known[entry], source)


def _check_one_result(records: Sequence[Record], source: str) -> None:
    """HarnessError where these are several results of one entry: their mean would be of neither."""
    from harness.board.assign_records import check_comparable

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


def _of_leaderboard(args: argparse.Namespace, name: str) -> dict[Entry, list[Record]]:
    from harness.config.load import load

    known = load(boards.open_project(args)).settings.leaderboard
    if name not in known:
        raise ConfigError(
            f"'{name}' is neither a folder nor a leaderboard", where=args.verb, remedy=nearest(name, known)
        )
    own = copy.copy(args)
    own.leaderboard = name
    return of_board(boards.open_board(own, absent=True))


def _in_folder(folder: Path) -> list[Record]:
    from harness.store.record import RECORDS, compared_records
    from harness.store.runs import RunsFolder

    if (folder / RECORDS).exists():
        return compared_records(folder)
    records = [run.record() for run in RunsFolder(folder).all()]
    return [record for record in records if record is not None]


def _committed(args: argparse.Namespace, revision: str) -> Sequence[Record]:
    """The records of all leaderboards at `revision`; of one where ``--leaderboard`` names it."""
    from harness.store.record import RECORDS, TABLE, parse_left_out, parse_records

    root = boards.open_project(args).parent
    below = f"leaderboards/{args.leaderboard}" if args.leaderboard else "leaderboards"
    listed = _git(root, revision, "ls-tree", "-r", "--name-only", revision, "--", below).splitlines()
    files = [path for path in listed if path.endswith(f"/{RECORDS}")]
    # Of a leaderboard in a subfolder of the repository, git tells paths as seen from here.
    found = []
    for path in files:
        apart: set[str] = set()
        if (table := path.removesuffix(RECORDS) + TABLE) in listed:
            apart = parse_left_out(_show(root, revision, table), f"{COMMIT}{revision}:{table}")
        found += parse_records(_show(root, revision, path), f"{COMMIT}{revision}:{path}", apart)
    return found


def _show(root: Path, revision: str, path: str) -> str:
    return _git(root, revision, "show", f"{revision}:./{path}")


def _git(folder: Path, revision: str, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise ConfigError(f"git can't be run: {error.strerror}", where=f"{COMMIT}{revision}") from error
    if done.returncode:
        told = " ".join(done.stderr.split()) or f"code {done.returncode}"
        raise ConfigError(f"git says: {told}", where=f"{COMMIT}{revision}")
    return done.stdout
