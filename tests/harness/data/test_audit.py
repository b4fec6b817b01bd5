"""What `harness data check` finds, on datasets made wrong on purpose."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from harness.data.audit import audit
from harness.data.case import Case, Volume
from harness.data.nifti import GridError
from harness.data.source import Source
from harness.errors import DataError

HEART = {"RV": 1, "MYO": 2, "LV": 3}
ML = {"ED": {1: 120, 2: 100, 3: 110}, "ES": {1: 60, 2: 102, 3: 50}}
"""A heart of so many mL; a voxel is 1 mL here."""


def volume(seed, ml, shape=(6, 10, 10)):
    labels = np.zeros(shape, np.uint8)
    start = 0
    for value, voxels in ml.items():
        labels.reshape(-1)[start : start + voxels] = value
        start += voxels
    image = np.random.default_rng(seed).normal(size=(1, *shape)).astype(np.float32)
    return Volume(image, labels, (10.0, 10.0, 10.0))


def raises(error):
    raise error


def patient(number, *, ml=ML, seed=None, phases=("ED", "ES"), group=None):
    name = f"p{number}"
    return [
        Case(
            f"{name}_{phase}",
            name,
            phase,
            partial(volume, [number if seed is None else seed, phase == "ES"], ml[phase]),
            group=group,
        )
        for phase in phases
    ]


def checked(*patients, structures=HEART, phases=("ED", "ES")):
    cases = tuple(case for cases in patients for case in cases)
    findings = audit(Source(cases, structures, phases))
    return {one.check: one for one in findings}


def test_a_clean_dataset_has_nothing_to_say():
    found = checked(patient(1, group="NOR"), patient(2, group="DCM"))
    severities = {check: one.severity for check, one in found.items()}
    # The made-up labels fill the first slices only.
    assert severities.pop("empty slices") == "note"
    assert set(severities.values()) == {"ok"}
    assert found["cases"].found == "4 cases of 2 patients (DCM 1, NOR 1)"


def test_a_missing_and_a_doubled_phase_are_named():
    doubled = patient(2)[0]
    twice = [*patient(2), Case("p2_again", "p2", "ED", doubled.read)]
    found = checked(patient(1, phases=("ED",)), twice)
    assert found["phases"].severity == "warning"
    assert "missing: p1 ES" in found["phases"].found
    assert "duplicate: p2 ED" in found["phases"].found


@pytest.mark.parametrize(
    ("error", "check"),
    [(GridError("has shape 1"), "grids"), (DataError("is cut short"), "files")],
)
def test_what_can_not_be_read_is_an_error_and_the_rest_is_still_checked(error, check):
    broken = Case("p9_ED", "p9", "ED", partial(raises, error))
    found = checked(patient(1), [broken])
    assert found[check].severity == "error"
    assert error.what in found[check].found
    assert [name for name, one in found.items() if one.severity == "error"] == [check]
    assert found["volumes"].severity == "ok"


def test_undeclared_labels_are_an_error():
    found = checked(patient(1), structures={"RV": 1, "MYO": 2})
    assert found["label values"].severity == "error"
    assert "[3]" in found["label values"].found


def test_an_absent_structure_is_told():
    found = checked(patient(1), patient(2, ml={"ED": {**ML["ED"], 1: 0}, "ES": ML["ES"]}))
    assert found["empty references"].found == "p2_ED RV"


def test_identical_images_under_two_names_are_told():
    found = checked(patient(1), patient(2, seed=1))
    assert found["identical images"].severity == "warning"
    assert found["identical images"].found == "p1_ED = p2_ED, p1_ES = p2_ES"
    assert "same set" in found["identical images"].action


def test_a_heart_that_grows_in_systole_and_one_that_is_too_small():
    swapped = {"ED": ML["ES"], "ES": ML["ED"]}
    tiny = {phase: dict.fromkeys(ml, 9) for phase, ml in ML.items()}
    found = checked(patient(1, ml=swapped), patient(2, ml=tiny))
    assert "p1 LV 50 → 110 mL" in found["ED > ES"].found
    assert "p2 lv-edv 9 mL" in found["volumes"].found
    assert found["volumes"].severity == "warning"


def test_a_dataset_without_a_heart_is_not_judged_as_one():
    cases = [
        Case("a", "a", None, partial(volume, 1, {1: 50})),
        Case("a", "b", None, partial(volume, 2, {1: 5})),
    ]
    found = checked(cases, structures={"liver": 1}, phases=())
    assert "volumes" not in found
    assert found["ids"].severity == "error"
    assert found["phases"].found == "none"
