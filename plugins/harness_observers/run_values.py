"""The values of a run as flat names and numbers, as experiment trackers need them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

COSTS = {
    "train_s": ("time_s", "train"),
    "step_s_median": ("time_s", "step_median"),
    "volume_s_median": ("time_s", "volume_median"),
    "gpu_train_mib": ("memory_mib", "gpu_train_allocated"),
    "host_peak_mib": ("memory_mib", "host_peak"),
    "parameters": ("model", "parameters"),
    "flops": ("model", "flops"),
}
"""The costs by name, and their fields in a record."""


def settings(run: Mapping[str, Any]) -> dict[str, str]:
    """The settings of a run: its three plugins, seed, fold and all values of the protocol."""
    named = {kind: run[kind]["label"] for kind in ("model", "loss", "dataset")}
    protocol = dict(_flat(run["protocol"], "protocol"))
    return {**named, "seed": str(run["seed"]), "fold": str(run["fold"]), **protocol}


def epoch_values(epoch: Mapping[str, Any]) -> dict[str, float]:
    """The loss, and the validation Dice if it was measured."""
    names = ("loss", "validation_dice")
    return {f"epoch/{name}": float(epoch[name]) for name in names if epoch.get(name) is not None}


def scores(cases: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Means over the test cases, such as ``test/dice/LV``, and ``test/dice`` over structures.

    As in the tables, a score without a value (both empty) is left out and a penalty counts. The tables
    also separate phases, so their means differ if phases have different numbers of cases.
    """
    values: dict[tuple[str, str], list[float]] = defaultdict(list)
    for score in cases:
        if score["value"] is not None:
            values[score["metric"], score["structure"]].append(score["value"])
    means = {key: statistics.fmean(case_values) for key, case_values in values.items()}
    by_metric: dict[str, list[float]] = defaultdict(list)
    for (metric, _), mean in means.items():
        by_metric[metric].append(mean)
    return {
        **{f"test/{metric}/{structure}": mean for (metric, structure), mean in means.items()},
        **{
            f"test/{metric}": statistics.fmean(structure_means)
            for metric, structure_means in by_metric.items()
        },
    }


def costs(record: Mapping[str, Any]) -> dict[str, float]:
    """The measured costs of a run."""
    measured = {name: record.get(section, {}).get(key) for name, (section, key) in COSTS.items()}
    return {f"cost/{name}": float(value) for name, value in measured.items() if value is not None}


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}", str(value)
