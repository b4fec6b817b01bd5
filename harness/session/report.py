"""Writing the report of a leaderboard: one HTML file, and its plots as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.page import page
from harness.page.plots.draw import engine, write_plots
from harness.session.galleries import galleries
from harness.session.open_leaderboard import OpenLeaderboard
from harness.session.rebuild import rebuild
from harness.store.atomic import write_text


@dataclass(frozen=True)
class WrittenReport:
    """The files of a report: the page, its size, and the names of plots that were written."""

    page: Path
    bytes: int
    plots: tuple[str, ...]


def write_report(
    opened: OpenLeaderboard, output: Path | None, plots: Path | None, *, embed_images: bool
) -> WrittenReport:
    """Rebuild the folder of the leaderboard; write its report to `output` and its plots into `plots`."""
    # A missing package is reported before anything is written.
    engine()
    leaderboard = rebuild(opened)
    board, published, selected = leaderboard.board, leaderboard.published, leaderboard.selected
    pictures = galleries(opened, leaderboard, embed=embed_images)
    file = output or opened.folder / "report.html"
    write_text(file, page(board, published, selected, pictures))
    written = write_plots(plots, board, published, selected, pictures) if plots else []
    return WrittenReport(file, file.stat().st_size, tuple(written))
