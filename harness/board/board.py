"""The parts of a leaderboard: entries, their planned runs, and one result for each entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from harness.board.entry_state import EntryState
from harness.config.protocol import Protocol
from harness.contract.spec import KINDS, RunSpec
from harness.stats.arrays import Interval
from harness.stats.noise_floor import NoiseFloor
from harness.stats.ranking import RankMethod
from harness.stats.stability import Stability
from harness.store.record import Record
from harness.store.state import RunState

NO_PHASE = "all"
"""The phase of all cases in a dataset without phases."""


@dataclass(frozen=True)
class Entry:
    """One row of a leaderboard: the labels of model, loss and dataset, parameters included."""

    model: str
    loss: str
    dataset: str

    @classmethod
    def of(cls, spec: RunSpec) -> Entry:
        """The entry that a record's `spec` belongs to."""
        return cls(spec.model.label, spec.loss.label, spec.dataset.label)

    @property
    def name(self) -> str:
        """Model and loss, for people to read."""
        return f"{self.model} + {self.loss}"


def params_of(spec: RunSpec) -> dict[str, Any]:
    """The resolved parameters of the three plugins in a `spec`."""
    return {kind: dict(spec.plugin(kind).params) for kind in KINDS}


class Slot(NamedTuple):
    """A seed and a fold: an entry needs a run for each slot of its dataset."""

    seed: int
    fold: int


EntrySlot = tuple[Entry, Slot]


def entry_slot(spec: RunSpec) -> EntrySlot:
    """The entry and the slot of it that the run of a `spec` fills."""
    return Entry.of(spec), Slot(spec.seed, spec.fold)


@dataclass(frozen=True)
class RequiredRun:
    """A run that an entry needs to be complete, and its state.

    `reason` says why it is not done, where that is known. `run_id` is empty or None where nobody planned
    or ran it.
    """

    run_id: str | None
    seed: int
    fold: int
    state: RunState
    reason: str | None = None


@dataclass(frozen=True)
class Cell:
    """One metric of one structure in one phase, over the cases of an entry.

    `mean` is over `n` cases (a case scored under several seeds is averaged first); `sd` is the
    sample standard deviation over patients, None below two. The other fields are numbers of cases, where
    a case counts if it does for any of its seeds: `penalised` cases have an empty prediction or
    reference, and their penalty is in the mean; `excluded` cases are empty on both sides or could not
    be measured (the latter are also in `errors`); `cases` are all. `ci95` is the bootstrap interval of
    the mean over patients and seeds, None below six patients or without bootstrap.
    """

    mean: float | None
    sd: float | None
    n: int
    penalised: int
    excluded: int
    errors: int
    cases: int
    ci95: Interval | None = None


Scores = Mapping[str, Mapping[str, Mapping[str, Cell]]]
"""``scores[metric][structure][phase]``."""


@dataclass(frozen=True)
class Cost:
    """The cost of an entry: medians of times over runs, largest memory peaks; None if not measured."""

    train_s: float | None = None
    predict_s_median: float | None = None
    predict_s_p95: float | None = None
    gpu_train_mib: float | None = None
    gpu_predict_mib: float | None = None
    host_mib: float | None = None
    parameters: int | None = None
    flops: int | None = None


@dataclass(frozen=True)
class ClinicalPair:
    """One clinical index of one patient, from the reference and from the prediction; None if undefined.

    `penalised` means that only the prediction's was undefined and that `measured` is the worst value.
    """

    patient: str
    group: str | None
    index: str
    reference: float | None
    measured: float | None
    penalised: bool = False


@dataclass(frozen=True)
class Result:
    """An entry with its state, scores and costs; `rank` is None unless it is complete.

    `metric_ranks` are its ranks by each metric of the protocol's ``rank_by``, `mean_rank` their
    mean. `rank_interval` is the 95 % bootstrap interval of the rank; two entries share a letter of
    `group` (such as ``AB``) if they are not significantly different; `rank_shares` is the share of
    bootstrap samples in which the entry has each rank; `overall_ci95` are the intervals of `overall`.
    They are None or empty without bootstrap. `reason` says why the entry is not ranked. `hardware` lists
    the hardware classes of its runs. `clinical` holds the indices of each patient, if the dataset is
    cardiac; `records` are those of finished runs.
    """

    entry: Entry
    state: EntryState
    runs: tuple[RequiredRun, ...]
    params: Mapping[str, Any] = field(default_factory=dict)
    rank: int | None = None
    mean_rank: float | None = None
    metric_ranks: Mapping[str, int] = field(default_factory=dict)
    rank_interval: tuple[int, int] | None = None
    group: str | None = None
    rank_shares: Mapping[int, float] = field(default_factory=dict)
    reason: str | None = None
    scores: Scores = field(default_factory=dict)
    overall: Mapping[str, float | None] = field(default_factory=dict)
    overall_ci95: Mapping[str, Interval | None] = field(default_factory=dict)
    cost: Cost = Cost()
    hardware: tuple[str, ...] = ()
    clinical: tuple[ClinicalPair, ...] = ()
    records: tuple[Record, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True)
class Significance:
    """Holm-corrected one-sided p values: ``p[i][j]`` that ``entries[i]`` is better than ``entries[j]``.

    None on the diagonal.
    """

    entries: tuple[Entry, ...]
    p: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True)
class LeftOut:
    """A finished run of this leaderboard that is not comparable with the others, with the reason."""

    entry: Entry
    run_id: str
    reason: str


@dataclass(frozen=True)
class Field:
    """What all entries of a dataset have in common: patients, seeds and folds.

    `structures` and `phases` are in the dataset's order. `patients` and `cases` are the numbers tested.
    `notes` are sentences for the caption. `noise_floor` is by metric, None with one seed;
    `stability` and `significance` (by metric of the protocol's ``rank_by``) are about the ranked
    entries, None or empty without bootstrap or with fewer than two. If not `exact_groups`, some
    entries share a letter although they are significantly different (see `harness.stats.groups`).
    """

    dataset: str
    split_hash: str | None
    structures: tuple[str, ...]
    phases: tuple[str, ...]
    seeds: tuple[int, ...]
    folds: tuple[int, ...]
    patients: int
    cases: int
    notes: tuple[str, ...] = ()
    noise_floor: Mapping[str, NoiseFloor] | None = None
    stability: Stability | None = None
    significance: Mapping[str, Significance] = field(default_factory=dict)
    exact_groups: bool = True

    @property
    def dataset_name(self) -> str:
        """The dataset's plugin name, without parameters."""
        return self.dataset.partition("[")[0]


@dataclass(frozen=True)
class Board:
    """A leaderboard under one protocol. `results` are sorted by dataset, ranked entries first.

    `left_out` are runs that are not comparable.
    """

    name: str
    protocol: Protocol
    protocol_hash: str
    fields: tuple[Field, ...]
    results: tuple[Result, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def rank_method(self) -> RankMethod:
        """The ranking method of the protocol."""
        return self.protocol.rank_method

    def of(self, dataset: str) -> tuple[Result, ...]:
        """The results on one dataset, in their order."""
        return tuple(r for r in self.results if r.entry.dataset == dataset)
