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
    """All entries of a leaderboard; ``-m -l -d`` choose those in `selected`."""

    entries: tuple[PlannedEntry, ...]
    selected: tuple[PlannedEntry, ...]


@dataclass(frozen=True)
class Selection:
    """Patterns after ``-m``, ``-l`` and ``-d``; without any, everything that the leaderboard lists."""

    models: Sequence[str] = field(default=())
    losses: Sequence[str] = field(default=())
    datasets: Sequence[str] = field(default=())


def expand(
    registry: Registry, board: LeaderboardSettings, selection: Selection, *, absent: bool = False
) -> Matrix:
    """All entries of `board`, and those that `selection` adds by name.

    With `absent`, entries whose plugins are not registered are skipped, not an error.
    """
    listed_labels, selected_labels, union = [], [], []
    for kind, texts, patterns in (
        ("model", board.models, selection.models),
        ("loss", board.losses, selection.losses),
        ("dataset", board.datasets, selection.datasets),
    ):
        everything, chosen = select(registry, cast(Kind, kind), texts, patterns, absent=absent)
        listed_labels.append({choice.label for choice in everything[: len(texts)]})
        selected_labels.append({choice.label for choice in chosen})
        # A variant with default values is the plain plugin: one entry, however it is written.
        union.append(list({choice.label: choice for choice in everything}.values()))
    models, losses, datasets = union
    entries, selected = [], []
    for dataset, model, loss in itertools.product(datasets, models, losses):
        labels = (model.label, loss.label, dataset.label)
        is_selected = all(label in chosen for label, chosen in zip(labels, selected_labels, strict=True))
        is_listed = all(label in chosen for label, chosen in zip(labels, listed_labels, strict=True))
        # A model that is added by name is combined only with the selected losses.
        if not (is_selected or is_listed):
            continue
        missing = [choice.name for choice in (model, loss, dataset) if choice.plugin is None]
        skip = (
            f"{' and '.join(missing)} not registered here"
            if missing
            else registry.compatible(model.record, loss.record, dataset.record)
        )
        entry = PlannedEntry(model, loss, dataset, skip)
        entries.append(entry)
        if is_selected:
            selected.append(entry)
    return Matrix(tuple(entries), tuple(selected))


def seeds_and_folds(protocol: Protocol) -> list[tuple[int, int]]:
    """The (seed, fold) pairs that every entry is run with."""
    if protocol.split == "official":
        folds: Sequence[int] = (0,)
    else:
        folds = protocol.run_folds if protocol.run_folds is not None else range(protocol.folds)
    return [(seed, fold) for seed in protocol.seeds for fold in folds]
