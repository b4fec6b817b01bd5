"""The metrics by name. A name carries its definition; docs/metrics.md has the formulas."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from harness.errors import ConfigError, nearest

Family = Literal["overlap", "distance", "volume"]


@dataclass(frozen=True)
class Metric:
    """One metric. `higher_is_better` is None where neither direction is. `tolerance_mm` is that of nsd."""

    name: str
    unit: str
    higher_is_better: bool | None
    family: Family
    description: str
    tolerance_mm: float | None = None


_FIXED = {
    metric.name: metric
    for metric in (
        Metric("dice", "", True, "overlap", "2 |R ∩ P| / (|R| + |P|)"),
        Metric("iou", "", True, "overlap", "|R ∩ P| / |R ∪ P|"),
        Metric("hd", "mm", False, "distance", "largest distance of a border voxel to the other border"),
        Metric(
            "hd95", "mm", False, "distance", "95th percentile of both directed distances pooled, as MedPy"
        ),
        Metric(
            "hd95-directed",
            "mm",
            False,
            "distance",
            "larger of the two directed 95th percentiles, as Metrics Reloaded and MONAI",
        ),
        Metric("assd", "mm", False, "distance", "mean of both directed distances pooled, as MedPy"),
        Metric("volume", "mL", None, "volume", "volume of the prediction"),
        Metric("volume-error", "mL", None, "volume", "volume of the prediction minus that of the reference"),
    )
}

_NSD = re.compile(r"nsd@(\d+(?:\.\d+)?)mm")


def metric(name: str) -> Metric:
    """The metric of that name; ConfigError with the nearest right name for an unknown one."""
    if name in _FIXED:
        return _FIXED[name]
    match = _NSD.fullmatch(name)
    tolerance = float(match[1]) if match else math.nan
    if tolerance > 0:
        description = f"share of both borders within {tolerance:g} mm of the other"
        return Metric(name, "", True, "overlap", description, tolerance)
    raise ConfigError(f"no metric '{name}'", remedy=nearest(name, [*_FIXED, "nsd@2mm"]))
