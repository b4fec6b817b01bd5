"""Captions about columns: what they say is what is still to be said where only some are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.rank.board import Board, Field, Result
from harness.report.table import Note, note
from harness.report.views import captions
from harness.report.views.rows import CERTAINTY, COST, RANK


def legend(metrics: Sequence[str], *marked: str) -> Note:
    """What the star means, in which direction metrics are better; `marked` are other topics with stars."""
    return Note(lambda left: captions.legend([name for name in left if name in metrics]), [*metrics, *marked])


def certainty(board: Board, field: Field, metrics: Sequence[str]) -> list[str]:
    """How far the ranks and the means can be trusted."""
    lines = captions.certainty(board, field, metrics)
    if field.stability is None:
        return lines
    return [note(lines[0], CERTAINTY), note(lines[1], CERTAINTY, RANK), *lines[2:]]


def ranks(field: Field) -> list[str]:
    """What the interval beside a rank is, where no group stands beside it."""
    if field.stability is None:
        return []
    samples = f"{field.stability.resamples:,} bootstrap samples of the patients"
    return [note(f"95 %: interval of the rank in {samples}.", CERTAINTY)]


def hardware(results: Sequence[Result], letters: Mapping[str, str] | None = None) -> list[str]:
    """Where costs were measured."""
    return [note(line, COST) for line in captions.hardware(results, letters)]


def counts(results: Sequence[Result], metrics: Sequence[str]) -> list[str]:
    """How many scores are penalties or were left out."""
    lines = captions.counts(results, metrics)
    if len(lines) != 1:
        return lines
    return [Note(lambda left: " ".join(captions.counts(results, left)), metrics)]
