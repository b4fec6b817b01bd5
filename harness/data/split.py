"""Who trains, who is looked at while training, who is scored: always whole patients.

Patients that share an identical image count as one, so no image is ever on two sides.
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
    """Patients of one fold, sorted. `validation` is an inner part of what is not scored."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True)
class Split:
    """All folds of a dataset under one protocol, and what was noticed while making them."""

    folds: tuple[Parts, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def hash(self) -> str:
        """SHA-256 over the patients of every part of every fold."""
        return digest([asdict(parts) for parts in self.folds])


def make_split(
    manifest: Manifest, *, kind: str, folds: int, seed: int, validation: float, dataset: str
) -> Split:
    """Split by patient, stratified by group: `folds` folds, or the dataset's ``official`` parts.

    ``inner`` is for tuning: of each of the `folds`, a share of its training patients is scored, and its
    own test patients are seen by nobody.
    """
    group = {case.patient: case.group or "" for case in manifest.cases}
    units = _units(manifest)
    notes = [
        f"{dataset}: {' and '.join(same)} have identical images; kept on one side of the split"
        for same in manifest.identical
    ]
    if kind == "official":
        leaking = _leaking(manifest)
        tests = [(_official(manifest, dataset), leaking)]
        if leaking:
            notes.append(
                f"{dataset}: {', '.join(leaking)} left out of training: "
                "identical images are in the official test part"
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
    made = []
    for number, (test, dropped) in enumerate(tests):
        left = [unit for unit in units if not {*unit} & {*test, *dropped}]
        held_out = _hold_out(left, group, validation, seed + 1 + number)
        train = [p for unit in left for p in unit if p not in held_out]
        if not train or not test:
            raise DataError(
                f"fold {number} has {len(train)} training and {len(test)} test patients", where=dataset
            )
        made.append(Parts(tuple(sorted(train)), tuple(sorted(held_out)), tuple(test)))
        guard(made[-1], manifest)
    return Split(tuple(made), tuple(notes))


def guard(parts: Parts, manifest: Manifest) -> None:
    """DataError if a patient, or an identical image under another name, is in two of the parts."""
    side: dict[str, str] = {}
    for name, patients in asdict(parts).items():
        for patient in patients:
            if side.setdefault(patient, name) != name:
                raise DataError(
                    f"is both in {side[patient]} and in {name}",
                    where=patient,
                    remedy="A patient belongs to one side of a split.",
                )
    for same in manifest.identical:
        sides = sorted({side[patient] for patient in same if patient in side})
        if len(sides) > 1:
            raise DataError(
                f"have identical images, but are in {' and '.join(sides)}",
                where=" and ".join(same),
                remedy="Put them on one side of the split.",
            )


def _units(manifest: Manifest) -> list[tuple[str, ...]]:
    joined = {patient for same in manifest.identical for patient in same}
    alone = [(patient,) for patient in manifest.patients if patient not in joined]
    return sorted([*alone, *manifest.identical])


def _order(unit: Sequence[str], seed: int) -> str:
    # A hash orders patients alike on every platform and library version.
    return hashlib.sha256(f"{seed}:{unit[0]}".encode()).hexdigest()


def _deal(
    units: Sequence[tuple[str, ...]], group: dict[str, str], folds: int, seed: int
) -> list[list[tuple[str, ...]]]:
    """Deal units to folds so that each fold has its share of each group, and of all."""
    hands: list[list[tuple[str, ...]]] = [[] for _ in range(folds)]
    total = [0] * folds
    of_group: list[Counter[str]] = [Counter() for _ in range(folds)]
    strata: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for unit in units:
        strata[group[unit[0]]].append(unit)
    for name in sorted(strata):
        # Units of several patients go first: small ones can still even out after them.
        for unit in sorted(strata[name], key=lambda unit: (-len(unit), _order(unit, seed))):
            fold = min(range(folds), key=lambda k: (of_group[k][name], total[k], k))
            hands[fold].append(unit)
            of_group[fold][name] += len(unit)
            total[fold] += len(unit)
    return hands


def _inner(
    units: Sequence[tuple[str, ...]], group: dict[str, str], folds: int, seed: int, outer: list[str]
) -> tuple[list[str], list[str]]:
    """Patients scored in place of those of the fold `outer`, and those left out of training for it."""
    left = [unit for unit in units if not {*unit} & {*outer}]
    return _patients(_deal(left, group, folds, seed)[0]), outer


def _patients(units: Sequence[tuple[str, ...]]) -> list[str]:
    return sorted(patient for unit in units for patient in unit)


def _hold_out(units: Sequence[tuple[str, ...]], group: dict[str, str], share: float, seed: int) -> set[str]:
    patients = sum(len(unit) for unit in units)
    if share == 0 or len(units) < 2:
        return set()
    hands = min(len(units), max(2, round(1 / share))) if share <= 0.5 else 2
    wanted = max(1, round(share * patients))
    chosen: list[str] = []
    for hand in _deal(units, group, hands, seed):
        for unit in hand:
            if len(chosen) + len(unit) <= wanted and len(chosen) + len(unit) < patients:
                chosen.extend(unit)
    return set(chosen)


def _official(manifest: Manifest, dataset: str) -> list[str]:
    part: dict[str, Part | None] = {}
    for case in manifest.cases:
        if part.setdefault(case.patient, case.part) != case.part:
            raise DataError(
                f"has cases in both official parts ({part[case.patient]} and {case.part})",
                where=f"{dataset} {case.patient}",
                remedy="Move all cases of a patient to one side.",
            )
    if set(part.values()) != {"train", "test"}:
        raise ConfigError(
            f"{dataset} as it lies here has no official test part",
            where="protocol.split",
            remedy="Use split = 'folds', or add the official testing data.",
        )
    return sorted(patient for patient, side in part.items() if side == "test")


def _leaking(manifest: Manifest) -> list[str]:
    """Training patients whose images are also in the official test part."""
    part = {case.patient: case.part for case in manifest.cases}
    return sorted(
        patient
        for same in manifest.identical
        if {part[p] for p in same} == {"train", "test"}
        for patient in same
        if part[patient] == "train"
    )
