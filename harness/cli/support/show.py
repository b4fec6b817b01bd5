"""Printing of leaderboards."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from harness.session.display import TableView
from harness.session.leaderboard import Leaderboard
from harness.store.atomic import write_text


@dataclass(frozen=True)
class ShowOptions:
    """What of a leaderboard is printed: a view or the `worst` scores, sorted, in a format."""

    view: str = "summary"
    worst: int | None = None
    sort: str | None = None
    columns: tuple[str, ...] = ()
    format: str = "rich"
    against: str | None = None


def show(leaderboard: Leaderboard, options: ShowOptions, *, svg: Path | None = None) -> None:
    """Print the selected entries; with `svg`, also save the table as a picture in that file."""
    tables = _tables(leaderboard, options)
    # The console also draws the picture if the table is printed in another format.
    rich = options.format == "rich"
    console = Console(highlight=False, record=svg is not None, file=None if rich else io.StringIO())
    console.print(tables)
    if svg is not None:
        write_text(svg, console.export_svg(title=f"harness leaderboard {leaderboard.name}"))
    if not rich:
        print(_text(leaderboard, options.format, tables), end="")
        return
    console.print(
        f"Written to {from_here(leaderboard.folder)}/leaderboard.md, .csv, .json and records.jsonl",
        style="dim",
        soft_wrap=True,
    )


def from_here(path: Path) -> Path:
    """The path relative to the current folder if it is below it."""
    return path.relative_to(path.cwd()) if path.is_relative_to(path.cwd()) else path


def _tables(leaderboard: Leaderboard, options: ShowOptions) -> TableView:
    if options.against is not None:
        return leaderboard.against(options.against)
    if options.worst is not None:
        return leaderboard.worst(options.worst, sort=options.sort, columns=options.columns)
    return leaderboard.table(options.view, sort=options.sort, columns=options.columns)


def _text(leaderboard: Leaderboard, format: str, tables: TableView) -> str:
    if format == "json":
        return json.dumps(leaderboard.as_json(), indent=1, allow_nan=False) + "\n"
    writers = {
        "markdown": tables.to_markdown,
        "csv": tables.to_csv,
        "latex": tables.to_latex,
        "html": tables.to_html,
    }
    return writers[format]()
