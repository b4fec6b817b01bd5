"""Clinical indices of an entry, by hand."""

from __future__ import annotations

import math

import made_records
import pytest

from harness.board.clinical import agreements, applies, pairs

REFERENCE = {
    # mL at ED and ES
    "a": {"LV": (100.0, 40.0), "RV": (120.0, 60.0), "MYO": (100.0, 105.0)},
    "b": {"LV": (200.0, 150.0), "RV": (180.0, 90.0), "MYO": (140.0, 140.0)},
}
OFF = {"a": 10.0, "b": -20.0}
"""What the prediction is off in every structure and phase."""


def scores(seed_off=0.0):
    for patient, structures in REFERENCE.items():
        for structure, volumes in structures.items():
            for phase, ml in zip(("ED", "ES"), volumes, strict=True):
                off = OFF[patient] + seed_off
                about = {"phase": phase, "structure": structure}
                yield made_records.score(patient, ml + off, metric="volume", **about)
                yield made_records.score(patient, off, metric="volume-error", **about)


def test_indices_of_a_patient_are_those_on_paper():
    found = {(p.patient, p.index): (p.reference, p.measured) for p in pairs([made_records.record(scores())])}
    assert found["a", "lv-edv"] == (100, 110)
    assert found["a", "lv-esv"] == (40, 50)
    assert found["a", "lv-ef"] == pytest.approx((60.0, 100 * 60 / 110))
    assert found["a", "myo-mass"] == pytest.approx((105.0, 1.05 * 110))
    assert found["b", "rv-ef"] == pytest.approx((50.0, 100 * 90 / 160))
    assert len(found) == 2 * 7


def test_agreement_is_bland_and_altmans():
    one = agreements(pairs([made_records.record(scores())]))["lv-edv"]
    # Differences are 10 and -20: mean -5, sample sd 30 / sqrt 2.
    sd = 30 / math.sqrt(2)
    assert (one.n, one.excluded, one.bias, one.mae) == (2, 0, -5, 15)
    assert (one.sd, one.r) == pytest.approx((sd, 1.0))
    assert (one.lower, one.upper) == pytest.approx((-5 - 1.96 * sd, -5 + 1.96 * sd))


def test_seeds_are_averaged_before_patients():
    records = [made_records.record(scores(off), seed=seed) for seed, off in ((0, 3.0), (1, -3.0))]
    assert pairs(records) == pairs([made_records.record(scores())])


def test_leaving_a_ventricle_out_does_not_pay():
    """The fraction that could not be had counts as the worst one."""
    lost = [made_records.score("a", 0.0, phase=phase, metric="volume") for phase in ("ED", "ES")] + [
        made_records.score("a", -ml, phase=phase, metric="volume-error")
        for phase, ml in (("ED", 90.0), ("ES", 30.0))
    ]
    found = {p.index: (p.reference, p.measured) for p in pairs([made_records.record(lost)])}
    assert found["lv-edv"] == (90, 0)
    assert found["lv-ef"] == (pytest.approx(100 * 60 / 90), 0)
    assert found["rv-edv"] == (None, None)


def test_only_hearts_have_clinical_indices():
    both = ("volume", "volume-error")
    assert applies(both, ("LV", "RV", "MYO", "AO"), ("ED", "ES"))
    assert not applies(both, ("liver",), ("ED", "ES"))
    assert not applies(both, ("LV", "RV", "MYO"), ("all",))
    assert not applies(("volume",), ("LV", "RV", "MYO"), ("ED", "ES"))
