"""The entries of a leaderboard: models × losses × datasets, and why some are skipped."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import cast

from harness.config.protocol import Protocol
from harness.config.settings import LeaderboardSettings
from harness.plan.choice import Choice, select
from harness.plugins.manager import Registry
from harness.plugins.records import Kind, Model


@dataclass(frozen=True)
class PlannedEntry:
    """One row of a leaderboard. `skip` is a reason not to run it."""

    model: Choice
    loss: Choice
    dataset: Choice
    skip: str | None = None

    @property
    def label(self) -> str:
        """For example ``unet2d[base=8] + log-dice``."""
        return f"{self.model.label} + {self.loss.label}"

    @property
    def dims(self) -> int:
        """2 or 3."""
        record = self.model.record
        assert isinstance(record, Model)
        return record.dims


@dataclass(frozen=True)
class Matrix:
    """All entries of a leaderboard; `selected` are those that ``-m -l -d`` leave."""

    entries: tuple[PlannedEntry, ...]
    selected: tuple[PlannedEntry, ...]


@dataclass(frozen=True)
class Selection:
    """Patterns after ``-m``, ``-l`` and ``-d``; none: everything that the leaderboard lists."""

    models: Sequence[str] = field(default=())
    losses: Sequence[str] = field(default=())
    datasets: Sequence[str] = field(default=())


def expand(
    registry: Registry, board: LeaderboardSettings, selection: Selection, *, absent: bool = False
) -> Matrix:
    """All entries of `board`, with those that joined it by being named.

    With `absent`, entries whose plugins are not registered are skipped, not an error.
    """
    own, named, union = [], [], []
    for kind, texts, patterns in (
        ("model", board.models, selection.models),
        ("loss", board.losses, selection.losses),
        ("dataset", board.datasets, selection.datasets),
    ):
        everything, chosen = select(registry, cast(Kind, kind), texts, patterns, absent=absent)
        own.append({choice.label for choice in everything[: len(texts)]})
        named.append({choice.label for choice in chosen})
        # A variant with the default's value is the plain one: one entry, however it is written.
        union.append(list({choice.label: choice for choice in everything}.values()))
    models, losses, datasets = union
    entries, selected = [], []
    for dataset, model, loss in itertools.product(datasets, models, losses):
        labels = (model.label, loss.label, dataset.label)
        wanted = all(label in some for label, some in zip(labels, named, strict=True))
        listed = all(label in some for label, some in zip(labels, own, strict=True))
        # A model that joins by name joins with the losses it was named with, no more.
        if not (wanted or listed):
            continue
        missing = [choice.name for choice in (model, loss, dataset) if choice.plugin is None]
        skip = (
            f"{' and '.join(missing)} not registered here"
            if missing
            else registry.compatible(model.record, loss.record, dataset.record)
        )
        entry = PlannedEntry(model, loss, dataset, skip)
        entries.append(entry)
        if wanted:
            selected.append(entry)
    return Matrix(tuple(entries), tuple(selected))


def seeds_and_folds(protocol: Protocol) -> list[tuple[int, int]]:
    """The (seed, fold) pairs that every entry is run with."""
    if protocol.split == "official":
        folds: Sequence[int] = (0,)
    else:
        folds = protocol.run_folds if protocol.run_folds is not None else range(protocol.folds)
    return [(seed, fold) for seed in protocol.seeds for fold in folds]
