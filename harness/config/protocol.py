"""The protocol: everything that affects a score except the plugins. docs/protocol.md gives the reasons."""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema

from harness.contract.layout import as_json, read
from harness.contract.protocol import RunProtocol, ScoringProtocol
from harness.contract.spec import ModelSpec
from harness.errors import ConfigError
from harness.metrics.definitions import metric
from harness.store.atomic import digest

T = TypeVar("T")


class Strict(BaseModel):
    """Unknown keys are errors, and values can't be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class PerDims(Strict, Generic[T]):
    """One value for all models, or one for 2D and one for 3D models: ``{"2d" = 7, "3d" = 15}``."""

    two: T = Field(alias="2d")
    three: T = Field(alias="3d")

    @model_validator(mode="before")
    @classmethod
    def _from_one(cls, value: Any) -> Any:
        return value if isinstance(value, dict | PerDims) else {"2d": value, "3d": value}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """One value, or one for each."""
        each = handler.resolve_ref_schema(handler(core))
        return {"anyOf": [each["properties"]["2d"], each]}

    def at(self, dims: int) -> T:
        """The value for models of `dims` dimensions."""
        return self.two if dims == 2 else self.three


def _both(value: T) -> PerDims[T]:
    return _each(value, value)


def _each(two: T, three: T) -> PerDims[T]:
    return PerDims.model_construct(two=two, three=three)


Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


class Augmentation(Strict):
    """Random augmentation of training samples, on the device. If all values are 0, there is none."""

    flip: Fraction = Field(0.0, description="probability of a flip along each in-plane axis")
    rotate_deg: NonNegative = Field(0.0, description="largest in-plane rotation, in degrees")
    scale: Fraction = Field(0.0, description="largest relative zoom; 0.1 draws factors from 0.9 to 1.1")
    shift: Fraction = Field(0.0, description="largest shift, as a fraction of the sample's side length")
    spatial_probability: Fraction = Field(
        1.0, description="probability that a sample is rotated, scaled and shifted"
    )
    brightness: NonNegative = Field(0.0, description="largest intensity offset, in standard deviations")
    contrast: Fraction = Field(0.0, description="largest relative change of contrast")
    gamma: Fraction = Field(0.0, description="largest relative change of the gamma exponent")
    noise: NonNegative = Field(0.0, description="largest standard deviation of added Gaussian noise")
    intensity_probability: Fraction = Field(1.0, description="probability that a sample's intensities change")


class Empty(Strict):
    """Scores of a structure that prediction, reference or both lack; see `metrics.EmptyPolicy`."""

    one_empty_distance: Literal["diagonal"] | Positive = Field(
        "diagonal",
        description="distance if only one is empty: the image's diagonal, or this many mm if that is more",
    )
    both_empty: Literal["exclude", "perfect"] = Field(
        "exclude", description="if both are empty: exclude the score and count it, or score a perfect match"
    )


class Protocol(Strict):
    """Preparation, training, prediction, split and metrics that all entries of a leaderboard share."""

    # Preparation
    spacing_mm: Positive = Field(
        1.5, description="in-plane spacing after resampling, in mm; z is never resampled"
    )
    crop: tuple[Count, Count] = Field(
        (128, 128), description="size (y, x) in pixels of the crop about the image centre"
    )
    normalisation: Literal["z-score", "percentile"] = Field(
        "z-score",
        description="z-score: mean 0 and standard deviation 1 over the crop; "
        "percentile: clip to the 0.5th and 99.5th percentile first",
    )
    # Training
    patch: tuple[Count, Count] | None = Field(
        None,
        description="size (y, x) in pixels of a training patch, drawn from the crop; default: the whole crop",
    )
    augmentation: Augmentation = Augmentation()
    optimiser: Literal["adamw", "muon"] = Field(
        "adamw",
        description="muon: orthogonalised momentum for the weights of layers, adamw for all other parameters",
    )
    learning_rate: PerDims[Positive] = Field(_both(2e-3), description="peak learning rate of the schedule")
    weight_decay: NonNegative = 1e-2
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    gradient_clip: Positive | None = Field(12.0, description="largest gradient norm; null: no clipping")
    epochs: PerDims[Count] = _both(40)
    coarse: PerDims[Annotated[float, Field(ge=0, lt=1)]] = Field(
        _both(0.0),
        description="share of the epochs, at the start, that train at half resolution",
    )
    batch: PerDims[Count] = Field(_each(16, 2), description="slices (2D) or volumes (3D) per training step")
    depth: Count = Field(10, description="slices in a 3D training sample; smaller volumes are edge-padded")
    precision: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="auto: bf16 autocast where the hardware supports it"
    )
    class_weights: dict[str, NonNegative] = Field(
        {"background": 0.3}, description="class weights by structure name or 'background'; default 1"
    )
    validation: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1, description="share of the training patients in the validation set; 0: no validation"
    )
    validate_every: Count = Field(1, description="validation interval, in epochs")
    selection: Literal["last", "best"] = Field(
        "last", description="weights used for prediction: the last, or the best on the validation set"
    )
    compile: bool = Field(
        False, description="train with torch.compile; compilation is timed as part of the first step"
    )
    limit: Count | None = Field(
        None,
        description="largest number of batches per epoch, validation cases and test cases; for quick trials",
    )
    deterministic: bool = Field(False, description="allow only deterministic algorithms on a GPU")
    # Prediction and scores
    largest_component: bool = Field(
        True, description="post-processing: keep only the largest connected component of each structure"
    )
    metrics: tuple[str, ...] = Field(
        ("dice", "hd", "hd95", "assd", "volume", "volume-error"),
        min_length=1,
        description="metrics to compute",
    )
    empty: Empty = Field(Empty(), description="scores of empty structures")
    # Split
    split: Literal["folds", "official", "inner"] = Field(
        "folds",
        description="folds: cross-validation; official: the dataset's split; "
        "inner: for tuning, scores a share of each fold's training patients",
    )
    folds: Annotated[int, Field(ge=2)] = 5
    split_seed: int = 0
    # What is run and shown; affects no score
    run_folds: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        None, description="folds to run; default: all"
    )
    seeds: tuple[int, ...] = Field((0,), min_length=1)
    rank_by: tuple[str, ...] = Field(
        ("dice",), min_length=1, description="metrics to rank by; their ranks are averaged"
    )
    rank_method: Literal["aggregate-then-rank", "rank-then-aggregate", "test-then-rank"] = Field(
        "aggregate-then-rank",
        description="rank by mean scores, by mean ranks over patients, or by significant wins",
    )
    keep_predictions: bool = Field(
        False, description="save predicted label maps as NIfTI in the run's folder"
    )

    @field_validator("metrics", "rank_by")
    @classmethod
    def _known_metrics(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                metric(name)
            except ConfigError as error:
                raise ValueError(str(error)) from error
        return names

    @model_validator(mode="after")
    def _consistent(self) -> Protocol:
        absent = [name for name in self.rank_by if name not in self.metrics]
        if absent:
            raise ValueError(f"rank_by has {absent[0]!r}, which is not in metrics")
        for name in self.rank_by:
            if metric(name).higher_is_better is None:
                raise ValueError(f"rank_by has {name!r}, for which neither higher nor lower is better")
        if self.selection == "best" and self.validation == 0:
            raise ValueError("selection 'best' needs validation > 0: test cases are never used for selection")
        if self.patch is not None and any(p > c for p, c in zip(self.patch, self.crop, strict=True)):
            raise ValueError(f"patch {list(self.patch)} is larger than crop {list(self.crop)}")
        if self.coarse != _both(0.0) and min(self.patch or self.crop) < 2:
            raise ValueError("coarse needs patches of at least 2 x 2 pixels")
        if self.run_folds is not None:
            if self.split == "official":
                raise ValueError("run_folds cannot be combined with split 'official'")
            if not self.run_folds or max(self.run_folds) >= self.folds:
                raise ValueError(f"run_folds must list folds from 0 to {self.folds - 1}")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_off(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave `coarse` out if it is 0, so that keys from before the field existed stay valid."""
        values: dict[str, Any] = handler(self)
        if self.coarse == _both(0.0):
            values.pop("coarse", None)
        return values

    def resolved(self, dims: int) -> RunProtocol:
        """The protocol of a run, with only the values for models of `dims` dimensions."""
        values = self.model_dump(mode="json", by_alias=True)
        for name, value in self:
            if isinstance(value, PerDims):
                values[name] = value.at(dims)
        if dims == 2:
            del values["depth"]
        return read(RunProtocol, values)

    def scoring(self) -> ScoringProtocol:
        """The part that applies to external predictions: the test patients and the scoring."""
        values = self.model_dump(mode="json", by_alias=True)
        return read(ScoringProtocol, part(values, (*SPLIT, "metrics", "empty")))


PREPARE = ("spacing_mm", "crop", "normalisation")
SPLIT = ("split", "folds", "split_seed")
SCORE = ("largest_component", "metrics", "empty")
UNSCORED = ("run_folds", "seeds", "rank_by", "rank_method", "keep_predictions")
"""Fields by what they affect. All other fields affect the training."""


def part(resolved: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The fields `names` of a resolved protocol."""
    return {name: resolved[name] for name in names}


def training_part(resolved: dict[str, Any]) -> dict[str, Any]:
    """The fields of a resolved protocol that affect the trained weights, other than data and split."""
    other = {*PREPARE, *SPLIT, *SCORE, *UNSCORED}
    return {name: value for name, value in resolved.items() if name not in other}


def protocol_hash(values: dict[str, Any]) -> str:
    """SHA-256 over every field that affects a score, of a protocol or a run's protocol as JSON."""
    return digest({name: value for name, value in values.items() if name not in UNSCORED})


def wanted_of(protocol: Protocol, model: ModelSpec) -> ScoringProtocol:
    """`protocol` as the run of a model follows it; comparable runs follow the same."""
    if model.external or model.dims is None:
        return protocol.scoring()
    return protocol.resolved(model.dims)


def hash_for(protocol: Protocol, model: ModelSpec) -> str:
    """The hash of `protocol` for the model of a run; comparable records have the same hash."""
    return protocol_hash(as_json(wanted_of(protocol, model)))
