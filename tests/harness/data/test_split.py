"""Splits: what would let a patient leak, or make two machines disagree."""

from collections import Counter
from collections.abc import Callable

import pytest

from harness.data.manifest import CaseInfo, Manifest
from harness.data.split import Split, make_split
from harness.errors import ConfigError

Maker = Callable[..., Manifest]


def manifest(
    patients: int, groups: str = "ABCDE", same: tuple[tuple[int, int], ...] = (), tests: int = 0
) -> Manifest:
    """Patients p000… with ED and ES; pairs in `same` share images; the last `tests` are official tests."""
    image = {i: i for i in range(patients)}
    for a, b in same:
        image[b] = image[a]
    return Manifest(
        tuple(
            CaseInfo(
                id=f"p{i:03}_{phase}",
                patient=f"p{i:03}",
                phase=phase,
                group=groups[i % len(groups)],
                part=None if not tests else "test" if i >= patients - tests else "train",
                channels=1,
                shape=(8, 10, 10),
                spacing_mm=(10.0, 1.0, 1.0),
                image_digest=f"{image[i]}{phase}",
                labels_digest="x",
            )
            for i in range(patients)
            for phase in ("ED", "ES")
        )
    )


def split(m: Manifest, **changes: object) -> Split:
    settings = {"kind": "folds", "folds": 5, "seed": 0, "validation": 0.1, "dataset": "hearts", **changes}
    return make_split(m, **settings)  # type: ignore[arg-type]


def test_every_patient_is_tested_once_and_never_on_two_sides() -> None:
    m = manifest(97)
    made = split(m)
    assert Counter(p for parts in made.folds for p in parts.test) == dict.fromkeys(m.patients, 1)
    for parts in made.folds:
        sides = [*parts.train, *parts.validation, *parts.test]
        assert sorted(sides) == list(m.patients)


def test_folds_have_equal_shares_of_each_group() -> None:
    m = manifest(100)
    group = {case.patient: case.group for case in m.cases}
    for parts in split(m).folds:
        assert Counter(group[p] for p in parts.test) == dict.fromkeys("ABCDE", 4)
        assert len(parts.validation) == 8


@pytest.mark.parametrize("seed", range(5))
def test_identical_images_stay_on_one_side_and_are_reported(seed: int) -> None:
    made = split(manifest(40, same=((7, 19), (19, 23))), seed=seed)
    trio = {"p007", "p019", "p023"}
    for parts in made.folds:
        for side in (parts.train, parts.validation, parts.test):
            assert len(trio & set(side)) in (0, 3)
    assert "p007 and p019 and p023 have identical images" in made.notes[0]


def test_official_split_is_taken_and_its_twins_leave_training() -> None:
    made = split(manifest(30, tests=10, same=((3, 25),)), kind="official")
    (parts,) = made.folds
    assert parts.test == tuple(f"p{i:03}" for i in range(20, 30))
    assert "p003" not in (*parts.train, *parts.validation)
    assert len(parts.train) + len(parts.validation) == 19
    assert any("p003 left out of training" in note for note in made.notes)


def test_tuning_sees_no_patient_that_its_fold_scores() -> None:
    m = manifest(100, same=((3, 25),))
    group = {case.patient: case.group for case in m.cases}
    for inner, outer in zip(split(m, kind="inner").folds, split(m).folds, strict=True):
        seen = {*inner.train, *inner.validation, *inner.test}
        assert seen == {*outer.train, *outer.validation}
        assert len(inner.test) == 16
        assert set(Counter(group[p] for p in inner.test).values()) == {3, 4}
        assert len({"p003", "p025"} & {*inner.test}) in (0, 2)


def test_official_split_of_a_dataset_without_one_is_an_error_with_a_remedy() -> None:
    with pytest.raises(ConfigError, match="split = 'folds'"):
        split(manifest(30), kind="official")


def test_more_folds_than_patients_is_an_error() -> None:
    with pytest.raises(ConfigError, match="at least 5 patients"):
        split(manifest(4))


def test_hash_depends_on_members_and_not_on_the_order_of_cases() -> None:
    m = manifest(30)
    assert split(m).hash == split(Manifest(m.cases[::-1])).hash
    assert split(m).hash != split(m, seed=1).hash
    assert split(m).hash != split(m, validation=0.2).hash


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.8])
def test_validation_share_is_kept_and_training_never_emptied(share: float) -> None:
    for parts in split(manifest(50), validation=share).folds:
        assert abs(len(parts.validation) - share * 40) <= 1
        assert parts.train
