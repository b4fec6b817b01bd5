"""Means that a reader can check by hand, and counts that hide nothing."""

from __future__ import annotations

import math
import random

import made_records
import pytest

from harness.board.aggregate import cell, gather, layout, overall, scores_of


def one_cell(scores):
    (found,) = gather([made_records.record(scores)]).values()
    return cell(found)


def test_mean_and_spread_are_those_of_the_textbook():
    scores = [made_records.score(p, v) for p, v in (("a", 0.8), ("b", 0.9), ("c", 1.0))]
    found = one_cell(scores)
    assert found.mean == pytest.approx(0.9)
    assert found.sd == pytest.approx(0.1)
    assert (found.n, found.penalised, found.excluded, found.errors, found.cases) == (3, 0, 0, 0, 3)


def test_a_missed_structure_stays_in_the_mean_as_a_penalty():
    scores = [
        made_records.score("a", 0.9),
        made_records.score("b", 0.0, state="prediction-empty"),
        made_records.score("c", 0.0, state="reference-empty"),
    ]
    found = one_cell(scores)
    assert found.mean == pytest.approx(0.3)
    assert (found.n, found.penalised, found.excluded) == (3, 2, 0)


def test_nothing_to_measure_is_left_out_and_counted():
    scores = [made_records.score("a", 0.8), made_records.score("b", None, state="both-empty")]
    found = one_cell(scores)
    assert found.mean == pytest.approx(0.8)
    assert found.sd is None
    assert (found.n, found.excluded, found.errors, found.cases) == (1, 1, 0, 2)


@pytest.mark.parametrize(
    ("value", "state"), [(None, "error"), (math.nan, "ok"), (math.inf, "ok"), (None, "ok")]
)
def test_a_score_without_a_finite_value_is_an_error_that_shows(value, state):
    found = one_cell([made_records.score("a", 0.8), made_records.score("b", value, state=state)])
    assert found.mean == pytest.approx(0.8)
    assert (found.n, found.excluded, found.errors) == (1, 1, 1)


def test_nothing_measured_at_all_gives_no_number():
    found = one_cell([made_records.score("a", None, state="both-empty")])
    assert (found.mean, found.sd, found.n, found.excluded) == (None, None, 0, 1)


def test_seeds_of_a_case_are_averaged_before_cases():
    """Otherwise a patient tested with more seeds would weigh more."""
    records = [
        made_records.record([made_records.score("a", 0.6), made_records.score("b", 1.0)], seed=0),
        made_records.record(
            [made_records.score("a", 0.8), made_records.score("b", None, state="both-empty")], seed=1
        ),
    ]
    (scores,) = gather(records).values()
    found = cell(scores)
    assert found.mean == pytest.approx((0.7 + 1.0) / 2)
    assert found.sd == pytest.approx(math.sqrt(2 * 0.15**2))
    assert (found.n, found.excluded, found.cases) == (2, 1, 2)


def test_spread_is_over_patients_not_cases():
    """Two volumes of one heart are not two observations."""
    from dataclasses import replace

    scores = [
        replace(made_records.score(patient, value, phase=None), case=case)
        for case, patient, value in (("a1", "a", 0.5), ("a2", "a", 0.7), ("b1", "b", 0.8))
    ]
    found = one_cell(scores)
    assert found.mean == pytest.approx((0.5 + 0.7 + 0.8) / 3)
    assert found.sd == pytest.approx(math.sqrt(2 * 0.1**2))
    assert found.n == 3


def test_overall_weighs_every_structure_and_phase_alike():
    scores = [
        made_records.score("a", 0.9, structure="LV"),
        made_records.score("b", 0.7, structure="LV"),
        made_records.score("a", 0.4, structure="RV"),
        made_records.score("a", 0.2, structure="RV", phase="ES"),
    ]
    nested = scores_of(gather([made_records.record(scores)]), ["dice"], ["RV", "LV"], ["ED", "ES"])
    assert list(nested["dice"]) == ["RV", "LV"]
    assert overall(nested)["dice"] == pytest.approx((0.8 + 0.4 + 0.2) / 3)


@pytest.mark.parametrize(("state", "mean"), [("both-empty", 0.9), ("error", None)])
def test_overall_may_lack_what_is_not_there_but_not_what_went_wrong(state, mean):
    scores = [made_records.score("a", 0.9), made_records.score("a", None, structure="RV", state=state)]
    nested = scores_of(gather([made_records.record(scores)]), ["dice"], ["RV", "LV"], ["ED"])
    assert overall(nested)["dice"] == mean


def test_order_of_cases_moves_no_bit():
    """A table rebuilt after copying run folders must be the same file."""
    draw = random.Random(1)
    scores = [made_records.score(f"p{i}", draw.random()) for i in range(50)]
    before = one_cell(scores)
    draw.shuffle(scores)
    assert one_cell(scores) == before


def test_structures_follow_their_labels_and_phases_the_dataset():
    """JSON on disk sorts names, so the order must come from the label values."""
    spec = made_records.record(structures={"aorta": 9, "liver": 2}, phases=("arterial", "venous")).spec
    keys = [("dice", s, p) for s in ("aorta", "found", "liver") for p in ("venous", "arterial", "late")]
    assert layout([spec], keys) == (("liver", "aorta", "found"), ("arterial", "venous", "late"))


def test_a_dataset_without_phases_has_one_column_named_all():
    assert list(gather([made_records.record([made_records.score("a", 0.5, phase=None)])])) == [
        ("dice", "LV", "all")
    ]
