"""Splits: what would let a patient leak, or make two machines disagree."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.data import split as module
from harness.data.manifest import CaseInfo, Manifest
from harness.data.split import Parts, Split, guard, make_split
from harness.errors import ConfigError, DataError

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


@pytest.mark.parametrize(
    "parts",
    [
        Parts(("p000", "p001"), ("p001",), ("p002",)),
        Parts(("p000", "p001"), (), ("p001", "p002")),
        Parts(("p000",), ("p001",), ("p001", "p002")),
    ],
)
def test_a_patient_in_two_sets_is_an_error(parts: Parts) -> None:
    """Otherwise a model would be scored on a patient that it was trained or selected on."""
    with pytest.raises(DataError, match="p001: is in both the"):
        guard(parts, manifest(3))


def test_identical_images_in_two_sets_are_an_error() -> None:
    twins = manifest(3, same=((0, 2),))
    with pytest.raises(DataError, match=r"p000 and p002: have identical images, .* test and train"):
        guard(Parts(("p000",), ("p001",), ("p002",)), twins)
    guard(Parts(("p001",), (), ("p000", "p002")), twins)


def test_every_split_passes_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong while a split is made, a leaking one is never returned."""
    monkeypatch.setattr(module, "_units", lambda manifest: [(patient,) for patient in manifest.patients])
    with pytest.raises(DataError, match="identical images, but are in"):
        split(manifest(30, same=((3, 25), (4, 24), (5, 23))))


@pytest.mark.parametrize(
    ("changes", "pinned"),
    [
        ({}, "520888d0772f95a3"),
        ({"seed": 7, "folds": 4, "validation": 0.25}, "bdc5679cb4032a4e"),
        ({"kind": "inner", "validation": 0.6}, "16e0d89eb103a599"),
        ({"kind": "official", "validation": 0.05}, "979ecc20464040fb"),
    ],
)
def test_a_split_is_the_same_in_every_version(changes: dict[str, object], pinned: str) -> None:
    """Otherwise results of two versions of the harness could not stand in one table."""
    m = manifest(53, groups="AABCCCD", same=((3, 50), (7, 19), (19, 23), (1, 2)), tests=12)
    assert split(m, **changes).hash[:16] == pinned


def test_a_patient_in_both_official_sets_is_an_error() -> None:
    """Otherwise one of its cases would be trained on and another scored."""
    m = manifest(6, tests=2)
    cases = [replace(case, part="train") if case.id == "p005_ED" else case for case in m.cases]
    with pytest.raises(DataError, match="p005: has cases in both official sets"):
        split(Manifest(tuple(cases)), kind="official")


def test_as_many_folds_as_patients_leave_one_out() -> None:
    m = manifest(5)
    assert sorted(parts.test for parts in split(m, validation=0).folds) == [(p,) for p in m.patients]


def test_a_fold_without_training_patients_is_an_error() -> None:
    with pytest.raises(DataError, match="fold 0 has 0 training and 1 test patients"):
        split(manifest(2, tests=1, same=((0, 1),)), kind="official")


def test_two_training_patients_can_give_one_for_validation() -> None:
    (parts,) = split(manifest(3, tests=1), kind="official", validation=0.1).folds
    assert (len(parts.train), len(parts.validation)) == (1, 1)
