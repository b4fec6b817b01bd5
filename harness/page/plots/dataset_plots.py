"""All plots of one dataset of a leaderboard, in the order of the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from harness.board.board import Board, Entry, Field
from harness.board.published import Published
from harness.page.plots.agreement import agreement
from harness.page.plots.costs import costs
from harness.page.plots.figure import Plot, PlottedPatient
from harness.page.plots.learning import learning
from harness.page.plots.plot_data import ground
from harness.page.plots.ranks import ranks, tests
from harness.page.plots.scores import scores


def every_plot(
    board: Board,
    field: Field,
    published: Sequence[Published] = (),
    shown: Collection[Entry] | None = None,
) -> tuple[tuple[PlottedPatient, ...], list[Plot]]:
    """The dataset's patients and its figures, of the entries `shown` (None: all).

    Records without a history, clinical indices or bootstrap ranks have no plot of these.
    """
    about = ground(board, field, shown)
    if not about.results:
        return (), []
    made = [
        *ranks(about),
        *scores(about),
        *tests(about),
        *agreement(about),
        *learning(about),
        *costs(about, published),
    ]
    return about.patients, _with_unique_keys(made)


def _with_unique_keys(figures: Sequence[Plot]) -> list[Plot]:
    """Number the keys that became equal because a file name can't hold all characters."""
    seen: dict[str, int] = {}
    kept = []
    for figure in figures:
        seen[figure.key] = seen.get(figure.key, 0) + 1
        twin = seen[figure.key]
        kept.append(figure if twin == 1 else replace(figure, key=f"{figure.key}~{twin}"))
    return kept
