"""The cost of an entry's runs: time, memory and size, and the hardware they ran on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from harness.board.board import Cost
from harness.contract.layout import as_json
from harness.contract.record import Hardware
from harness.store.record import Record


def cost_of(records: Sequence[Record]) -> Cost:
    """The cost of finished runs: medians of times and of 95th percentiles over runs, largest memory peaks."""

    def time(name: str) -> float | None:
        return _over((r.time_s for r in records), name, median)

    def peak(name: str) -> float | None:
        return _over((r.memory_mib for r in records), name, max)

    def size(name: str) -> int | None:
        value = _over((as_json(r.model) for r in records if r.model is not None), name, median)
        return None if value is None else round(value)

    return Cost(
        train_s=_over(map(_training, records), "train", median),
        predict_s_median=time("volume_median"),
        predict_s_p95=time("volume_p95"),
        gpu_train_mib=peak("gpu_train_allocated"),
        gpu_predict_mib=peak("gpu_predict_allocated"),
        host_mib=peak("host_peak"),
        parameters=size("parameters"),
        flops=size("flops"),
    )


def _training(record: Record) -> dict[str, float]:
    """Seconds of all training steps, including the first ones; empty if nothing was trained."""
    parts = [record.time_s.get(name) for name in ("first step", "train")]
    known = [float(part) for part in parts if isinstance(part, int | float)]
    return {"train": sum(known)} if known else {}


_SHARED = ", shared"
"""Ends the hardware class of a machine that other processes used at the same time."""


def moved_by_others(hardware: Iterable[str]) -> bool:
    """Whether one of these hardware classes is a shared machine, on which times are less certain."""
    return any(name.endswith(_SHARED) for name in hardware)


def hardware_of(records: Iterable[Record]) -> tuple[str, ...]:
    """The hardware classes of the runs, sorted; a shared machine is a class of its own."""
    machines = (record.hardware for record in records)
    return tuple(sorted({_class(hardware) for hardware in machines if hardware is not None}))


def _class(hardware: Hardware) -> str:
    shared = any(contention.shared for contention in (hardware.contention or {}).values())
    here = hardware.name
    machines = hardware.trained_on or (here,)
    trained = "" if machines == (here,) else f", trained on {' and '.join(machines)}"
    return f"{here}{trained}{_SHARED if shared else ''}"


def _over(
    tables: Iterable[Mapping[str, object]], name: str, reduce: Callable[[list[float]], float]
) -> float | None:
    values = [
        float(value)
        for table in tables
        if isinstance(value := table.get(name), int | float) and math.isfinite(value)
    ]
    return reduce(values) if values else None
