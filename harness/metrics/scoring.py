"""Score a label map against a reference, structure by structure."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

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
    """The value of one metric for one structure; None in the states ``both-empty`` and ``error``.

    `score` never returns ``error``, which is for callers that could not score a case.
    """

    structure: str
    metric: str
    value: float | None
    unit: str
    state: State


class StructurePair(Protocol):
    """One structure in both label maps, as an engine holds it: its voxel counts and values of metrics."""

    @property
    def reference(self) -> int: ...

    @property
    def prediction(self) -> int: ...

    def value(self, metric: Metric) -> float:
        """The metric's value; only called if both sides have the structure."""


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

    `reference` and `prediction` are label maps ``(z, y, x)`` or ``(y, x)`` of integers or
    booleans, and `spacing_mm` is in the same order. `structures` maps names to label values other
    than 0; other labels count as background. `empty` defines the scores of missing structures. Volumes
    always have a value, possibly 0 mL, and the state ``ok``. The engine ``"medpy"`` computes with MedPy
    itself, slowly, to check the fast one. DataError for arrays or a spacing that don't fit; ConfigError
    for an unknown metric or engine.
    """
    if isinstance(metrics, str):
        raise ConfigError(f"metrics is the string {metrics!r}", remedy=f"Write ({metrics!r},).")
    wanted = [metric(name) for name in metrics]
    values = [_label(name, value) for name, value in structures.items()]
    reference, prediction = _label_map(reference, "reference"), _label_map(prediction, "prediction")
    spacing = _spacing(reference, prediction, spacing_mm)

    borders = any(m.uses_borders for m in wanted)
    pairs = _engine(engine)(reference, prediction, values, spacing, borders)
    diagonal_mm = math.sqrt(sum((n * mm) ** 2 for n, mm in zip(reference.shape, spacing, strict=True)))
    voxel_mm3 = math.prod(spacing)

    def score_one(structure: str, m: Metric, pair: StructurePair) -> Score:
        decided = empty.decide(
            m, reference=pair.reference, prediction=pair.prediction, diagonal_mm=diagonal_mm
        )
        value, state = decided or (_value(m, pair, voxel_mm3), "ok")
        return Score(structure, m.name, value, m.unit, state)

    return [score_one(name, m, pair) for name, pair in zip(structures, pairs, strict=True) for m in wanted]


def _value(m: Metric, pair: StructurePair, voxel_mm3: float) -> float:
    if m.name == "volume":
        return pair.prediction * voxel_mm3 / 1000
    if m.name == "volume-error":
        return (pair.prediction - pair.reference) * voxel_mm3 / 1000
    return pair.value(m)


def check_engine(name: str) -> None:
    """ConfigError for the name of an engine that does not exist."""
    known = get_args(Engine)
    if name not in known:
        raise ConfigError(f"no scoring engine '{name}'", remedy=nearest(name, known))


def _engine(name: str) -> Callable[[LabelMap, LabelMap, list[int], Spacing, bool], Sequence[StructurePair]]:
    if name == "fast":
        from harness.metrics import fast_engine

        return fast_engine.measure
    check_engine(name)
    from harness.metrics import medpy_engine

    return medpy_engine.measure


def _label(structure: str, value: object) -> int:
    try:
        label = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        label = 0
    if not label:
        raise ConfigError(
            f"structure {structure!r} has the label {value!r}",
            remedy="Use an integer; 0 is the background.",
        )
    return label


def _label_map(array: LabelMap, name: str) -> LabelMap:
    array = np.asarray(array)
    if array.dtype.kind not in "bui":
        raise DataError(
            f"the {name} holds {array.dtype}, not integers", remedy="Convert it to an integer type."
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
