"""From records to files and tables: what `run` and `leaderboard` end with."""

from __future__ import annotations

import contextlib
import gc
import io
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.board import board as rank
from harness.board.board import Entry
from harness.board.build import build
from harness.board.collect_records import collect, entry_name
from harness.board.published import Published, read_published
from harness.cli.support.board import OpenLeaderboard
from harness.config.protocol import protocol_hash
from harness.errors import ConfigError, nearest
from harness.store.atomic import write_text
from harness.store.index import Index
from harness.tables.arrange import arrange
from harness.tables.latex import to_latex
from harness.tables.markdown import to_markdown
from harness.tables.plain import to_csv, to_html
from harness.tables.table import Table, only
from harness.views.against import against
from harness.views.as_json import leaderboard_json
from harness.views.leaderboard_folder import write_leaderboard
from harness.views.leaderboard_views import tables
from harness.views.worst import worst


@dataclass(frozen=True)
class Built:
    """A ranked leaderboard, with what stands beside it."""

    board: rank.Board
    published: tuple[Published, ...]


def rebuild(board: OpenLeaderboard) -> Built:
    """Rank all comparable records of a leaderboard and write its folder."""
    with _uncollected():
        return _rebuilt(board)


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Without looking for garbage: there is none among millions of scores, and looking takes longest."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _rebuilt(board: OpenLeaderboard) -> Built:
    index = Index(board.runs.index)
    found = collect(board.title, board.protocol, board.matrix, board.runs, board.folder, index)
    if not found.records:
        apart = found.left_out
        raise ConfigError(
            f"no comparable records; {len(apart)} left out, the first for {apart[0].reason}"
            if apart
            else "no records yet",
            where=f"leaderboard {board.title}",
            remedy=f"First: harness run {board.name}",
        )
    protocol: dict[str, Any] = board.protocol.model_dump(mode="json", by_alias=True)
    ranked = build(
        board.title,
        protocol,
        protocol_hash(protocol),
        None,
        found.records,
        found.planned,
        left_out=found.left_out,
    )
    published = read_published(board.project.root / "leaderboards" / "published")
    write_leaderboard(board.folder, ranked, [*found.records, *found.kept], published, index.line)
    index.save()
    return Built(ranked, published)


def selected(board: OpenLeaderboard) -> Collection[Entry] | None:
    """The entries that the command selected; None where these are all."""
    chosen = {entry_name(entry) for entry in board.matrix.selected}
    everything = {entry_name(entry) for entry in board.matrix.entries} == chosen
    return None if everything else chosen


@dataclass(frozen=True)
class ShowOptions:
    """What to show of a leaderboard and how: a view or the `worst` scores, arranged, in a format."""

    view: str = "summary"
    worst: int | None = None
    sort: str | None = None
    columns: tuple[str, ...] = ()
    format: str = "rich"
    against: str | None = None


def show(board: OpenLeaderboard, built: Built, look: ShowOptions, *, svg: Path | None = None) -> None:
    """Print the selected entries; `svg` keeps a picture of the table."""
    from rich.console import Console

    from harness.tables.terminal import to_terminal

    shown = selected(board)
    views = _looked_at(built, look, shown)
    # A picture is drawn also where nothing of it may be printed.
    rich = look.format == "rich"
    console = Console(highlight=False, record=svg is not None, file=None if rich else io.StringIO())
    console.print(to_terminal(views))
    if svg is not None:
        write_text(svg, console.export_svg(title=f"harness leaderboard {board.title}"))
    if not rich:
        print(_printed(built, look, shown, views), end="")
        return
    console.print(
        f"Written to {from_here(board.folder)}/leaderboard.md, .csv, .json and records.jsonl",
        style="dim",
        soft_wrap=True,
    )


def from_here(path: Path) -> Path:
    """A path as one would type it in the current folder."""
    return path.relative_to(path.cwd()) if path.is_relative_to(path.cwd()) else path


def _looked_at(built: Built, look: ShowOptions, shown: Collection[Entry] | None) -> list[Table]:
    if look.against is not None:
        return _beside(built, look.against, shown)
    if look.worst is not None:
        views = [worst(built.board, field, look.worst, shown) for field in built.board.fields]
    else:
        views = tables(built.board, look.view, published=built.published, shown=shown)
    if look.sort is None and not look.columns:
        return views
    # What was left out has columns of its own.
    return [arrange(view, sort=look.sort, columns=look.columns) for view in views[: len(built.board.fields)]]


def _beside(built: Built, name: str, shown: Collection[Entry] | None) -> list[Table]:
    """The tables beside published figures of that name, for each dataset that they are about."""
    known = {one.name: one for one in built.published}
    if name not in known:
        raise ConfigError(f"no published figures '{name}'", where="--against", remedy=nearest(name, known))
    fields = [f for f in built.board.fields if f.dataset_name == known[name].dataset]
    if not fields:
        raise ConfigError(
            f"{name} is about {known[name].dataset}, which is not on leaderboard {built.board.name}",
            where="--against",
        )
    tables = [table for field in fields for table in against(built.board, field, known[name])]
    return tables if shown is None else [only(table, lambda entry: entry in shown) for table in tables]


def _printed(built: Built, look: ShowOptions, shown: Collection[Entry] | None, views: Sequence[Table]) -> str:
    if look.format == "json":
        value = leaderboard_json(built.board, built.published)
        names = None if shown is None else {(e.model, e.loss, e.dataset) for e in shown}
        value["entries"] = [
            entry
            for entry in value["entries"]
            if names is None or (entry["model"], entry["loss"], entry["dataset"]) in names
        ]
        return json.dumps(value, indent=1, allow_nan=False) + "\n"
    to_text = {"markdown": to_markdown, "csv": to_csv, "latex": to_latex, "html": to_html}[look.format]
    return "\n".join(to_text(view) for view in views)
