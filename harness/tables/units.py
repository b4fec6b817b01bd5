"""Units and decimals of numbers, one of each per column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.metrics.definitions import metric


@dataclass(frozen=True)
class Scale:
    """A unit, its size in base units, and the decimals to print."""

    unit: str
    factor: float = 1.0
    decimals: int = 1

    def text(self, value: float) -> str:
        """`value`, in the base unit, as printed."""
        return f"{value / self.factor:.{self.decimals}f}"

    def short(self, value: float) -> str:
        """`text` without trailing zeros, for values that were published with fewer digits."""
        text = self.text(value)
        return text.rstrip("0").rstrip(".") if "." in text else text


def time_scale(seconds: Iterable[float | None]) -> Scale:
    """Milliseconds, seconds, minutes or hours: the first unit that needs at most three digits."""
    values = [value for value in seconds if value]
    least, most = min(values, default=1.0), max(values, default=1.0)
    for unit, factor in (("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0)):
        if most < 1000 * factor or unit == "h":
            break
    whole = least >= (10 if unit == "ms" else 100) * factor
    return Scale(unit, factor, 0 if whole else 1 if least >= factor else 2)


def memory_scale(mib: Iterable[float | None]) -> Scale:
    """MiB if all values are below one GiB, otherwise GiB."""
    values = [value for value in mib if value is not None]
    if not values or max(values) < 1024:
        return Scale("MiB", 1.0, 0)
    return Scale("GiB", 1024.0, 1 if min(values) >= 1024 else 2)


def count_scale(counts: Iterable[float | None], unit: str = "") -> Scale:
    """k, M, G or T, by the smallest value."""
    least = _least(counts)
    for prefix, factor in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if least >= factor:
            return Scale(
                prefix + unit, factor, 0 if least / factor >= 100 else 2 if least / factor < 10 else 1
            )
    return Scale(unit, 1.0, 0)


def duration(seconds: float) -> str:
    """A duration in a suitable unit: ``42 s``, ``17 min``, ``3.2 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def metric_scale(name: str) -> Scale:
    """Three decimals for a ratio such as Dice, one for values with a unit such as mm or mL."""
    unit = metric(name).unit
    return Scale("", 1.0, 3) if unit in ("", "1") else Scale(unit, 1.0, 1)


def _least(values: Iterable[float | None]) -> float:
    return min((value for value in values if value), default=1.0)
