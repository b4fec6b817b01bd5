"""From records to files and tables: what `run` and `leaderboard` end with."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cli.board import Board
from harness.config.protocol import protocol_hash
from harness.errors import ConfigError
from harness.rank import board as rank
from harness.rank.build import build
from harness.rank.collect import collect, entry_name
from harness.report.as_json import leaderboard_json
from harness.report.published import Published, read_published
from harness.report.views import tables
from harness.report.write import write_leaderboard
from harness.store.atomic import write_text


@dataclass(frozen=True)
class Built:
    """A ranked leaderboard, with what stands beside it."""

    board: rank.Board
    published: tuple[Published, ...]


def rebuild(board: Board) -> Built:
    """Rank all comparable records of a leaderboard and write its folder."""
    found = collect(board.title, board.protocol, board.matrix, board.runs, board.folder)
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
    write_leaderboard(board.folder, ranked, found.records, published)
    return Built(ranked, published)


def show(board: Board, built: Built, *, view: str, as_json: bool, svg: Path | None = None) -> None:
    """Print the selected entries: one view of them, or all there is as JSON; `svg` keeps a picture."""
    from rich.console import Console

    from harness.report.terminal import to_terminal

    selected = {entry_name(entry) for entry in board.matrix.selected}
    everything = {entry_name(entry) for entry in board.matrix.entries} == selected
    shown = None if everything else selected
    picture = to_terminal(tables(built.board, view, published=built.published, shown=shown))
    # A picture is drawn also where nothing else than JSON may be printed.
    console = Console(highlight=False, record=svg is not None, file=io.StringIO() if as_json else None)
    console.print(picture)
    if svg is not None:
        write_text(svg, console.export_svg(title=f"harness leaderboard {board.title}"))
    if as_json:
        value = leaderboard_json(built.board, built.published)
        names = None if shown is None else {(e.model, e.loss, e.dataset) for e in shown}
        value["entries"] = [
            entry
            for entry in value["entries"]
            if names is None or (entry["model"], entry["loss"], entry["dataset"]) in names
        ]
        print(json.dumps(value, indent=1, allow_nan=False))
        return
    try:
        folder = board.folder.relative_to(board.folder.cwd())
    except ValueError:
        folder = board.folder
    console.print(
        f"Written to {folder}/leaderboard.md, .csv, .json and records.jsonl", style="dim", soft_wrap=True
    )
