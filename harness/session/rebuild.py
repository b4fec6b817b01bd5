"""Making a ranked leaderboard and the files of its folder from records."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

from harness.board.build import build
from harness.board.collect_records import collect
from harness.board.published import read_published
from harness.config.protocol import protocol_hash
from harness.errors import ConfigError
from harness.session.leaderboard import Leaderboard
from harness.session.open_leaderboard import OpenLeaderboard
from harness.store.index import Index
from harness.views.leaderboard_folder import write_leaderboard


def rebuild(opened: OpenLeaderboard) -> Leaderboard:
    """Rank all comparable records of a leaderboard and write its folder.

    ConfigError if there are none.
    """
    with _without_garbage_collection():
        return _rebuild(opened)


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Scores have no reference cycles, and searching millions of them for cycles dominates the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _rebuild(opened: OpenLeaderboard) -> Leaderboard:
    index = Index(opened.runs.index)
    collected = collect(opened.title, opened.protocol, opened.matrix, opened.runs, opened.folder, index)
    if not collected.records:
        left_out = collected.left_out
        raise ConfigError(
            f"no comparable records; {len(left_out)} left out, the first for {left_out[0].reason}"
            if left_out
            else "no records yet",
            where=f"leaderboard {opened.title}",
            remedy=f"Run it first: harness run {opened.name}",
        )
    board = build(
        opened.title,
        opened.protocol,
        protocol_hash(opened.protocol.model_dump(mode="json", by_alias=True)),
        collected.records,
        collected.required,
        left_out=collected.left_out,
    )
    published = read_published(opened.project.root / "leaderboards" / "published")
    write_leaderboard(opened.folder, board, [*collected.records, *collected.kept], published, index.line)
    index.save()
    return Leaderboard(board, published, opened.folder, opened.selected)
