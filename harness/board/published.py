"""Published results, shown beside a leaderboard and never ranked.

A folder holds ``published.toml`` (title, short, citation, dataset, url), ``accuracy.csv``
(model, loss, structure, phase, dice, hausdorff_mm) and ``cost.csv`` (model, stage, time,
memory_gb, note).
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.board.board import Cost, Entry
from harness.errors import DataError

METRICS = {"dice": "dice", "hausdorff_mm": "hd"}
"""The metric of each column of ``accuracy.csv``."""

_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_MIB = 1024.0
"""A published GB is read as 1,024 MiB, as the tools that report GPU memory count."""


@dataclass(frozen=True)
class PublishedRow:
    """One published model and loss: ``scores[metric][structure][phase]``; `printed` is the published text."""

    entry: Entry
    scores: Mapping[str, Mapping[str, Mapping[str, float]]]
    printed: Mapping[tuple[str, str, str], str]
    cost: Cost

    @property
    def overall(self) -> dict[str, float]:
        """By metric: the mean over structures and phases, weighted equally."""
        means = {}
        for metric, structures in self.scores.items():
            values = [value for phases in structures.values() for value in phases.values()]
            means[metric] = math.fsum(values) / len(values)
        return means


@dataclass(frozen=True)
class Published:
    """A published table of a dataset (the name of its plugin)."""

    name: str
    title: str
    short: str
    citation: str
    dataset: str
    url: str
    rows: tuple[PublishedRow, ...]


def read_published(folder: Path) -> tuple[Published, ...]:
    """All published tables below `folder` (``leaderboards/published``); DataError if one is broken."""
    return tuple(read_one(file.parent) for file in sorted(folder.glob("*/published.toml")))


def read_one(folder: Path) -> Published:
    """The published table in `folder`; DataError in one line if it is broken."""
    try:
        about = tomllib.loads((folder / "published.toml").read_text(encoding="utf-8"))
        accuracy = _csv(folder / "accuracy.csv")
        costs = _csv(folder / "cost.csv") if (folder / "cost.csv").exists() else []
        fields = {name: str(about[name]) for name in ("title", "short", "citation", "dataset", "url")}
        return Published(name=folder.name, rows=_rows(accuracy, costs, fields["dataset"]), **fields)
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror or error}", where=folder) from error
    except KeyError as error:
        raise DataError(f"lacks {error}", where=folder) from error
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"is damaged: {error}", where=folder) from error


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _rows(
    accuracy: Iterable[Mapping[str, str]], costs: Iterable[Mapping[str, str]], dataset: str
) -> tuple[PublishedRow, ...]:
    cells: dict[Entry, dict[tuple[str, str, str], str]] = {}
    for line in accuracy:
        entry = cells.setdefault(Entry(line["model"], line["loss"], dataset), {})
        structure, phase = line["structure"], line["phase"]
        for column, metric in METRICS.items():
            if line.get(column):
                entry[metric, structure, phase] = line[column]
    cost = _costs(costs)
    return tuple(
        PublishedRow(entry, _nested(printed), printed, cost.get(entry.model, Cost()))
        for entry, printed in cells.items()
    )


def _nested(printed: Mapping[tuple[str, str, str], str]) -> dict[str, dict[str, dict[str, float]]]:
    nested: dict[str, dict[str, dict[str, float]]] = {}
    for (metric, structure, phase), text in printed.items():
        nested.setdefault(metric, {}).setdefault(structure, {})[phase] = float(text)
    return nested


def _costs(lines: Iterable[Mapping[str, str]]) -> dict[str, Cost]:
    stages: dict[str, dict[str, tuple[float, float]]] = {}
    for line in lines:
        number, unit = line["time"].split()
        seconds = float(number) * _SECONDS[unit]
        stages.setdefault(line["model"], {})[line["stage"]] = (seconds, float(line["memory_gb"]) * _MIB)
    return {
        model: Cost(
            train_s=of_model.get("training", (None, None))[0],
            gpu_train_mib=of_model.get("training", (None, None))[1],
            predict_s_median=of_model.get("inference", (None, None))[0],
            gpu_predict_mib=of_model.get("inference", (None, None))[1],
        )
        for model, of_model in stages.items()
    }
