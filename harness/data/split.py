"""Splits: which patients are in the training, the validation and the test set of each fold.

Patients that share an identical image count as one unit, so no image is ever in two sets.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property

from harness.data.case import Part
from harness.data.manifest import Manifest
from harness.errors import ConfigError, DataError
from harness.store.atomic import digest


@dataclass(frozen=True)
class Parts:
    """The patients of one fold, sorted: its training, validation and test set."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """All folds of a dataset under one protocol, with notes for the user."""

    folds: tuple[Parts, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the patients of every set of every fold."""
        return digest([asdict(parts) for parts in self.folds])


def make_split(
    manifest: Manifest, *, kind: str, folds: int, seed: int, validation: float, dataset: str
) -> Split:
    """Split by patient, stratified by group: `folds` folds, or the dataset's ``official`` split.

    ``inner`` is for tuning: in each of the `folds`, a share of the training patients takes the place of the
    test set, and the fold's own test patients are not used at all.
    """
    group = {case.patient: case.group or "" for case in manifest.cases}
    units = _units(manifest)
    notes = [
        f"{dataset}: {' and '.join(same)} have identical images; kept in the same set"
        for same in manifest.identical
    ]
    if kind == "official":
        tests: list[tuple[list[str], list[str]]] = [(_official(manifest, dataset), [])]
        if leaking := _leaking(manifest):
            notes.append(
                f"{dataset}: {', '.join(leaking)} left out of training: "
                "identical images are in the official test set"
            )
    else:
        if folds > len(units):
            raise ConfigError(
                f"{folds} folds need at least {folds} patients, {dataset} has {len(units)}",
                where="protocol.folds",
            )
        tests = [(_patients(fold), []) for fold in _deal(units, group, folds, seed)]
        if kind == "inner":
            tests = [_inner(units, group, folds, seed, test) for test, _ in tests]
    splits = []
    for number, (test, unused) in enumerate(tests):
        remaining = [unit for unit in units if not {*unit} & {*test, *unused}]
        held_out = _hold_out(remaining, group, validation, seed + 1 + number)
        train = [p for unit in remaining for p in unit if p not in held_out]
        if not train or not test:
            raise DataError(
                f"fold {number} has {len(train)} training and {len(test)} test patients", where=dataset
            )
        splits.append(Parts(tuple(sorted(train)), tuple(sorted(held_out)), tuple(test)))
        guard(splits[-1], manifest)
    return Split(tuple(splits), tuple(notes))


def guard(parts: Parts, manifest: Manifest) -> None:
    """DataError if a patient, or an identical image under another name, is in two sets."""
    set_of: dict[str, str] = {}
    for name, patients in asdict(parts).items():
        for patient in patients:
            if set_of.setdefault(patient, name) != name:
                raise DataError(
                    f"is in both the {set_of[patient]} and the {name} set",
                    where=patient,
                    remedy="Put each patient in one set only.",
                )
    for same in manifest.identical:
        sets = sorted({set_of[patient] for patient in same if patient in set_of})
        if len(sets) > 1:
            raise DataError(
                f"have identical images, but are in the sets {' and '.join(sets)}",
                where=" and ".join(same),
                remedy="Put them in the same set.",
            )


def _units(manifest: Manifest) -> list[tuple[str, ...]]:
    joined = {patient for same in manifest.identical for patient in same}
    alone = [(patient,) for patient in manifest.patients if patient not in joined]
    return sorted([*alone, *manifest.identical])


def _order(unit: Sequence[str], seed: int) -> str:
    # A hash gives the same order on every platform and with every library version.
    return hashlib.sha256(f"{seed}:{unit[0]}".encode()).hexdigest()


def _deal(
    units: Sequence[tuple[str, ...]], group: dict[str, str], folds: int, seed: int
) -> list[list[tuple[str, ...]]]:
    """Deal units to folds so that each fold has its share of each group and of all patients."""
    hands: list[list[tuple[str, ...]]] = [[] for _ in range(folds)]
    total = [0] * folds
    of_group: list[Counter[str]] = [Counter() for _ in range(folds)]
    strata: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for unit in units:
        strata[group[unit[0]]].append(unit)
    for name in sorted(strata):
        # Larger units go first, because smaller ones can still balance the folds after them.
        for unit in sorted(strata[name], key=lambda unit: (-len(unit), _order(unit, seed))):
            fold = min(range(folds), key=lambda k: (of_group[k][name], total[k], k))
            hands[fold].append(unit)
            of_group[fold][name] += len(unit)
            total[fold] += len(unit)
    return hands


def _inner(
    units: Sequence[tuple[str, ...]], group: dict[str, str], folds: int, seed: int, outer: list[str]
) -> tuple[list[str], list[str]]:
    """Test patients that replace the fold `outer`, and those that are not used at all."""
    remaining = [unit for unit in units if not {*unit} & {*outer}]
    return _patients(_deal(remaining, group, folds, seed)[0]), outer


def _patients(units: Sequence[tuple[str, ...]]) -> list[str]:
    return sorted(patient for unit in units for patient in unit)


def _hold_out(units: Sequence[tuple[str, ...]], group: dict[str, str], share: float, seed: int) -> set[str]:
    patients = sum(len(unit) for unit in units)
    if share == 0 or len(units) < 2:
        return set()
    hands = min(len(units), max(2, round(1 / share))) if share <= 0.5 else 2
    target = max(1, round(share * patients))
    chosen: list[str] = []
    for hand in _deal(units, group, hands, seed):
        for unit in hand:
            if len(chosen) + len(unit) <= target and len(chosen) + len(unit) < patients:
                chosen.extend(unit)
    return set(chosen)


def _official(manifest: Manifest, dataset: str) -> list[str]:
    part: dict[str, Part | None] = {}
    for case in manifest.cases:
        if part.setdefault(case.patient, case.part) != case.part:
            raise DataError(
                f"has cases in both official sets ({part[case.patient]} and {case.part})",
                where=f"{dataset} {case.patient}",
                remedy="Put all cases of a patient in the same set.",
            )
    if set(part.values()) != {"train", "test"}:
        raise ConfigError(
            f"this copy of {dataset} has no official test set",
            where="protocol.split",
            remedy="Use split = 'folds', or add the official testing data.",
        )
    return sorted(patient for patient, name in part.items() if name == "test")


def _leaking(manifest: Manifest) -> list[str]:
    """Training patients whose images are also in the official test set."""
    part = {case.patient: case.part for case in manifest.cases}
    return sorted(
        patient
        for same in manifest.identical
        if {part[p] for p in same} == {"train", "test"}
        for patient in same
        if part[patient] == "train"
    )
