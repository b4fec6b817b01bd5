"""Score a label map against a reference, structure by structure."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import ConfigError, DataError, nearest
from harness.metrics.definitions import Metric, metric
from harness.metrics.empty import DEFAULT, EmptyPolicy
from harness.store.record import State

Engine = Literal["fast", "medpy"]
Spacing = tuple[float, ...]
LabelMap = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one structure. `value` is None in the states that have none.

    Those are ``both-empty``, and ``error``, which is for callers that could not score at all.
    """

    structure: str
    metric: str
    value: float | None
    unit: str
    state: State


class Measured(Protocol):
    """One structure as an engine sees it: voxels on either side, and a metric where both have some."""

    @property
    def reference(self) -> int: ...

    @property
    def prediction(self) -> int: ...

    def value(self, metric: Metric) -> float:
        """The metric's value; only asked for where both sides have the structure."""


def score(
    reference: LabelMap,
    prediction: LabelMap,
    spacing_mm: Sequence[float],
    structures: Mapping[str, int],
    metrics: Sequence[str] = ("dice", "hd", "hd95", "assd"),
    *,
    empty: EmptyPolicy = DEFAULT,
    engine: Engine = "fast",
) -> list[Score]:
    """Scores of every structure and metric, structures first.

    `reference` and `prediction` are label maps ``(z, y, x)`` or ``(y, x)`` of whole numbers or
    booleans, `spacing_mm` is in the same order, `structures` maps names to label values other
    than 0; other labels count as background. `empty` decides where a structure is missing. Volumes
    always have a value and the state ``ok``: 0 mL is one.
    `engine` ``"medpy"`` takes what it defines from MedPy itself, slowly, to check the fast one.
    DataError for arrays or spacing that don't fit; ConfigError for an unknown metric or engine.
    """
    if isinstance(metrics, str):
        raise ConfigError(f"metrics is the text {metrics!r}", remedy=f"Write ({metrics!r},).")
    wanted = [metric(name) for name in metrics]
    values = [_label(name, value) for name, value in structures.items()]
    reference, prediction = _label_map(reference, "reference"), _label_map(prediction, "prediction")
    spacing = _spacing(reference, prediction, spacing_mm)

    borders = any(m.uses_borders for m in wanted)
    measured = _engine(engine)(reference, prediction, values, spacing, borders)
    diagonal_mm = math.sqrt(sum((n * mm) ** 2 for n, mm in zip(reference.shape, spacing, strict=True)))
    voxel_mm3 = math.prod(spacing)

    def one(structure: str, m: Metric, found: Measured) -> Score:
        decided = empty.decide(
            m, reference=found.reference, prediction=found.prediction, diagonal_mm=diagonal_mm
        )
        value, state = decided or (_value(m, found, voxel_mm3), "ok")
        return Score(structure, m.name, value, m.unit, state)

    return [one(name, m, found) for name, found in zip(structures, measured, strict=True) for m in wanted]


def _value(m: Metric, found: Measured, voxel_mm3: float) -> float:
    if m.name == "volume":
        return found.prediction * voxel_mm3 / 1000
    if m.name == "volume-error":
        return (found.prediction - found.reference) * voxel_mm3 / 1000
    return found.value(m)


def _engine(name: str) -> Callable[[LabelMap, LabelMap, list[int], Spacing, bool], Sequence[Measured]]:
    if name == "fast":
        from harness.metrics import fast

        return fast.measure
    if name == "medpy":
        from harness.metrics import medpy_engine

        return medpy_engine.measure
    raise ConfigError(f"no scoring engine '{name}'", remedy=nearest(name, ("fast", "medpy")))


def _label(structure: str, value: object) -> int:
    try:
        label = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        label = 0
    if not label:
        raise ConfigError(
            f"structure {structure!r} has the label {value!r}",
            remedy="Use a whole number; 0 is the background.",
        )
    return label


def _label_map(array: LabelMap, name: str) -> LabelMap:
    array = np.asarray(array)
    if array.dtype.kind not in "bui":
        raise DataError(
            f"the {name} holds {array.dtype}, not whole numbers", remedy="Convert it to an integer type."
        )
    if array.ndim not in (2, 3) or not array.size:
        raise DataError(f"the {name} has the shape {array.shape}", remedy="Give (z, y, x) or (y, x).")
    return array


def _spacing(reference: LabelMap, prediction: LabelMap, spacing_mm: Sequence[float]) -> Spacing:
    if reference.shape != prediction.shape:
        raise DataError(f"the shapes differ: reference {reference.shape}, prediction {prediction.shape}")
    try:
        spacing = tuple(float(mm) for mm in spacing_mm)
    except (TypeError, ValueError):
        spacing = ()
    if len(spacing) != reference.ndim or not all(0 < mm < math.inf for mm in spacing):
        axes = "(z, y, x)" if reference.ndim == 3 else "(y, x)"
        raise DataError(f"the spacing is {spacing_mm!r}", remedy=f"Give {axes} in mm, each a number above 0.")
    return spacing
