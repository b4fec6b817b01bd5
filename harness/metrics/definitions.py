"""The metrics by name. A name carries its definition.

R and P are the voxels of one structure in the reference and in the prediction. The border of
a mask is what erosion by the face-connected neighbours removes, as in MedPy: voxels with a
neighbour outside the mask or outside the array. d(p, B) is the distance in mm from the centre
of voxel p to the nearest voxel centre of border B.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.errors import ConfigError, nearest

Penalty = Literal["zero", "diagonal"]


@dataclass(frozen=True)
class Metric:
    """One metric.

    `higher_is_better` is None if neither direction is better. `penalty` is the value if only one
    side has the structure: the image's diagonal in mm or zero, None for a metric without a penalty.
    `tolerance_mm` is that of nsd.
    """

    name: str
    unit: str
    higher_is_better: bool | None
    definition: str
    penalty: Penalty | None
    tolerance_mm: float | None = None

    @property
    def uses_borders(self) -> bool:
        """Whether it is computed from distances between borders."""
        return self.penalty == "diagonal" or self.tolerance_mm is not None

    @property
    def perfect(self) -> float:
        """The value of a prediction that equals the reference; 0 for volumes, which have no such value."""
        return 1.0 if self.higher_is_better else 0.0


METRICS: Mapping[str, Metric] = {
    each.name: each
    for each in (
        Metric("dice", "", True, "2 |R ∩ P| / (|R| + |P|).", "zero"),
        Metric("iou", "", True, "|R ∩ P| / |R ∪ P|, also called Jaccard index.", "zero"),
        Metric(
            "hd",
            "mm",
            False,
            "Largest d of a border voxel of either side to the other border; MedPy's hd.",
            "diagonal",
        ),
        Metric(
            "hd95",
            "mm",
            False,
            "95th percentile of d over the border voxels of both sides pooled; MedPy's hd95.",
            "diagonal",
        ),
        Metric(
            "hd95-directed",
            "mm",
            False,
            "Larger of the 95th percentiles of d over either border; as in Metrics Reloaded and MONAI.",
            "diagonal",
        ),
        Metric(
            "assd",
            "mm",
            False,
            "Mean of d over the border voxels of both sides pooled; MedPy's assd.",
            "diagonal",
        ),
        Metric("volume", "mL", None, "Voxels of P times the volume of a voxel.", None),
        Metric("volume-error", "mL", None, "Volume of P minus volume of R.", None),
    )
}
"""The metrics without a parameter. `metric` also knows ``nsd@Tmm`` for any positive number T."""

_NSD = re.compile(r"nsd@(\d+\.?\d*|\.\d+)mm")


def metric(name: str) -> Metric:
    """The metric of that name; ConfigError with the most similar name for an unknown one."""
    if name in METRICS:
        return METRICS[name]
    match = _NSD.fullmatch(name)
    tolerance = float(match[1]) if match else math.nan
    if 0 < tolerance < math.inf:
        definition = (
            f"Share of the border voxels of both sides, counted together, with d of at most "
            f"{tolerance:g} mm; each voxel counts one, whatever area of the surface it stands for."
        )
        return Metric(name, "", True, definition, "zero", tolerance)
    if name.startswith("nsd"):
        remedy = "Write nsd@Tmm with a tolerance T above 0, such as nsd@2mm."
    else:
        remedy = nearest(name, METRICS)
    raise ConfigError(f"no metric '{name}'", remedy=remedy)
