"""Captions about columns: each is shown only with columns that it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.board.board import Board, Field, Result
from harness.tables.table import Note, note
from harness.views import captions
from harness.views.entry_rows import CERTAINTY, COST, RANK, SHORT


def legend(metrics: Sequence[str], *marked: str) -> Note:
    """Meaning of the star and better direction of metrics; `marked` are other topics with stars."""
    return Note(lambda left: captions.legend([name for name in left if name in metrics]), [*metrics, *marked])


def certainty(board: Board, field: Field, metrics: Sequence[str]) -> list[str]:
    """Uncertainty of ranks and means; each sentence has the topics of the columns that it is about."""
    results = board.of(field.dataset)
    lines: list[str] = []
    if field.stability is not None:
        lines.append(note(f"{captions.rank_interval(field, results)} {captions.letters(field)}", CERTAINTY))
    lines += doubts(field, results, *metrics)
    lines += [note(line, CERTAINTY, RANK) for line in captions.agreement(board, field)]
    if captions.noise_floor(field, metrics):
        lines.append(Note(lambda left: captions.noise_floor(field, left), _with_floor(field, metrics)))
    return lines


def ranks(field: Field, results: Sequence[Result], *metrics: str) -> list[str]:
    """Meaning of the rank interval in a table without groups; `metrics` are as in `doubts`."""
    interval = [] if field.stability is None else [note(captions.rank_interval(field, results), CERTAINTY)]
    return [*interval, *doubts(field, results, *metrics)]


def doubts(field: Field, results: Sequence[Result], *metrics: str) -> list[str]:
    """Limits of the intervals; `metrics` are those whose means have intervals in the table."""
    sentences = [*captions.training_noise(field, results), *captions.few_patients(field, results)]
    return [note(line, CERTAINTY, *metrics) for line in sentences]


def _with_floor(field: Field, metrics: Sequence[str]) -> list[str]:
    return [name for name in metrics if name in (field.noise_floor or {})]


def hardware(results: Sequence[Result], letters: Mapping[str, str] | None = None) -> list[str]:
    """The hardware on which costs were measured."""
    return [note(line, COST) for line in captions.hardware(results, letters)]


def counts(results: Sequence[Result], metrics: Sequence[str]) -> list[str]:
    """How many scores are penalised or left out; metrics with equal counts share a line."""
    return [_counted(text, names) for names, text in captions.counts(results, metrics).items()]


def _counted(text: str, names: Sequence[str]) -> Note:
    return Note(lambda left: f"{', '.join(SHORT.get(name, name) for name in left)}: {text}", names)
