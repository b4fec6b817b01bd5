"""A protocol as one run follows it: resolved for models of two or of three dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.contract.layout import optional


@dataclass(frozen=True)
class AugmentationSpec:
    """Random changes of training images; `harness.config.protocol.Augmentation` explains each field."""

    flip: float
    rotate_deg: float
    scale: float
    shift: float
    spatial_probability: float
    brightness: float
    contrast: float
    gamma: float
    noise: float
    intensity_probability: float


@dataclass(frozen=True)
class EmptySpec:
    """Scores of a structure that is missing; see `harness.metrics.EmptyPolicy`."""

    one_empty_distance: Literal["diagonal"] | float
    both_empty: Literal["exclude", "perfect"]


@dataclass(frozen=True, kw_only=True)
class ScoringProtocol:
    """The part that applies to predictions of any origin: the test patients and the scoring."""

    split: Literal["folds", "official", "inner"]
    folds: int
    split_seed: int
    metrics: tuple[str, ...]
    empty: EmptySpec

    @classmethod
    def variant(cls, value: Any) -> type[ScoringProtocol]:
        """The class of a protocol in JSON: one with training fields is a `RunProtocol`."""
        trains = isinstance(value, dict) and ("epochs" in value or "spacing_mm" in value)
        return RunProtocol if trains else ScoringProtocol


@dataclass(frozen=True, kw_only=True)
class RunProtocol(ScoringProtocol):
    """The protocol of a run that is trained; `harness.config.protocol.Protocol` explains each field.

    `coarse` is 0 if no epoch is coarse; `depth` is None for 2D models.
    """

    spacing_mm: float
    crop: tuple[int, int]
    normalisation: Literal["z-score", "percentile"]
    patch: tuple[int, int] | None
    augmentation: AugmentationSpec
    optimiser: Literal["adamw", "muon"]
    learning_rate: float
    weight_decay: float
    schedule: Literal["one-cycle", "cosine", "constant"]
    gradient_clip: float | None
    epochs: int
    coarse: float = optional(0.0)
    batch: int
    depth: int | None = optional(None)
    precision: Literal["auto", "fp32", "bf16"]
    class_weights: Mapping[str, float]
    validation: float
    validate_every: int
    selection: Literal["last", "best"]
    compile: bool
    limit: int | None
    deterministic: bool
    largest_component: bool
    run_folds: tuple[int, ...] | None
    seeds: tuple[int, ...]
    rank_by: tuple[str, ...]
    rank_method: Literal["aggregate-then-rank", "rank-then-aggregate", "test-then-rank"]
    keep_predictions: bool
