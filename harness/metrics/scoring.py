"""Score a label map against a reference, structure by structure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import DataError
from harness.metrics.definitions import Metric, metric
from harness.metrics.surface import Borders, directed
from harness.store.record import State


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one structure. `value` is None in the state ``both-empty``."""

    structure: str
    metric: str
    value: float | None
    unit: str
    state: State


@dataclass(frozen=True)
class _Pair:
    """What all metrics of one structure share. Distances are in mm, None unless both sides exist."""

    reference: int
    prediction: int
    overlap: int
    to_reference: NDArray[np.float64] | None
    to_prediction: NDArray[np.float64] | None


def score(
    reference: NDArray[Any],
    prediction: NDArray[Any],
    spacing_mm: Sequence[float],
    structures: Mapping[str, int],
    metrics: Sequence[str] = ("dice", "hd", "hd95", "assd"),
) -> list[Score]:
    """Scores of every structure and metric, structures first.

    `reference` and `prediction` are label maps ``(z, y, x)`` or ``(y, x)`` of whole numbers from 0
    to 255, `spacing_mm` is in the same order, `structures` maps names to label values.

    A structure in neither map has the state ``both-empty`` and no value. In one map only: overlaps
    are 0 and distances the diagonal of the image in mm, which no distance inside it exceeds; so
    leaving a structure out never pays. Volumes always have a value and the state ``ok``.
    DataError for arrays or spacing that don't fit; ConfigError for an unknown metric.
    """
    wanted = [metric(name) for name in metrics]
    reference, prediction = _label_map(reference, "reference"), _label_map(prediction, "prediction")
    spacing = _spacing(reference, prediction, spacing_mm)
    diagonal = math.sqrt(sum((n * mm) ** 2 for n, mm in zip(reference.shape, spacing, strict=True)))
    # No voxel of any structure lies outside, so borders and distances are the same inside.
    box = _joint_box(reference, prediction)
    pairs = _pairs(
        reference[box],
        prediction[box],
        spacing,
        structures,
        any(m.family == "distance" or m.tolerance_mm for m in wanted),
    )
    voxel_ml = math.prod(spacing) / 1000
    return [_one(name, m, pairs[name], diagonal, voxel_ml) for name in structures for m in wanted]


def _label_map(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    array = np.asarray(array)
    if array.dtype.kind not in "bui" or array.ndim not in (2, 3) or not array.size:
        raise DataError(
            f"the {name} is {array.dtype} {array.shape}; label maps are whole numbers in 2D or 3D"
        )
    if array.dtype not in (np.uint8, np.bool_) and (array.min() < 0 or array.max() > 255):
        raise DataError(f"the {name} has labels outside 0 to 255")
    return array.astype(np.uint8, copy=False)


def _spacing(
    reference: NDArray[np.uint8], prediction: NDArray[np.uint8], spacing_mm: Sequence[float]
) -> tuple[float, ...]:
    if reference.shape != prediction.shape:
        raise DataError(f"reference {reference.shape} and prediction {prediction.shape} differ in shape")
    spacing = tuple(float(mm) for mm in spacing_mm)
    if len(spacing) != reference.ndim or not all(0 < mm < math.inf for mm in spacing):
        raise DataError(f"spacing {spacing} mm is not {reference.ndim} lengths above 0")
    return spacing


def _joint_box(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> tuple[slice, ...]:
    either = a | b
    box = []
    for axis in range(either.ndim):
        others = tuple(other for other in range(either.ndim) if other != axis)
        used = np.flatnonzero(either.any(axis=others))
        box.append(slice(used[0], used[-1] + 1) if len(used) else slice(0, 0))
    return tuple(box)


def _pairs(
    reference: NDArray[np.uint8],
    prediction: NDArray[np.uint8],
    spacing: tuple[float, ...],
    structures: Mapping[str, int],
    distances: bool,
) -> dict[str, _Pair]:
    sizes = [np.bincount(array.reshape(-1), minlength=256) for array in (reference, prediction)]
    overlaps = np.bincount(reference[reference == prediction], minlength=256)
    both = any(sizes[0][k] and sizes[1][k] for k in structures.values())
    borders = [Borders.of(array) for array in (reference, prediction)] if distances and both else None
    pairs = {}
    for name, k in structures.items():
        to_reference = to_prediction = None
        if borders is not None and sizes[0][k] and sizes[1][k]:
            to_reference = directed(borders[1], borders[0], k, spacing)
            to_prediction = directed(borders[0], borders[1], k, spacing)
        pairs[name] = _Pair(int(sizes[0][k]), int(sizes[1][k]), int(overlaps[k]), to_reference, to_prediction)
    return pairs


def _one(structure: str, m: Metric, pair: _Pair, diagonal: float, voxel_ml: float) -> Score:
    if m.family == "volume":
        reference = pair.reference if m.name == "volume-error" else 0
        return Score(structure, m.name, (pair.prediction - reference) * voxel_ml, m.unit, "ok")
    if not pair.reference and not pair.prediction:
        return Score(structure, m.name, None, m.unit, "both-empty")
    if not pair.reference or not pair.prediction:
        state: State = "prediction-empty" if pair.reference else "reference-empty"
        return Score(structure, m.name, diagonal if m.family == "distance" else 0.0, m.unit, state)
    return Score(structure, m.name, _value(m, pair), m.unit, "ok")


def _value(m: Metric, pair: _Pair) -> float:
    if m.name == "dice":
        return 2.0 * pair.overlap / (pair.reference + pair.prediction)
    if m.name == "iou":
        return pair.overlap / (pair.reference + pair.prediction - pair.overlap)
    a, b = pair.to_reference, pair.to_prediction
    assert a is not None
    assert b is not None
    if m.tolerance_mm is not None:
        near = np.count_nonzero(a <= m.tolerance_mm) + np.count_nonzero(b <= m.tolerance_mm)
        return float(near / (len(a) + len(b)))
    if m.name == "hd":
        return float(max(a.max(), b.max()))
    if m.name == "hd95":
        return float(np.percentile(np.hstack((a, b)), 95))
    if m.name == "hd95-directed":
        return float(max(np.percentile(a, 95), np.percentile(b, 95)))
    return float(np.hstack((a, b)).mean())
