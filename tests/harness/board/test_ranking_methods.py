"""Three ways to rank: by hand, as challengeR documents them, and never better for being worse."""

from __future__ import annotations

import made_records
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.board.aggregate import case_values, gather
from harness.board.build import build
from harness.board.rank_entries import ranking_direction
from harness.board.score_arrays import patient_scores, ranking_data
from harness.errors import ConfigError
from harness.stats.ranking_methods import METHODS, ranking_values, ranks_by_method
from harness.stats.significance import p_values, significant_wins


def data_of(entries, rank_by=("dice",)):
    """Each entry is a list of scores."""
    gathered = [gather([made_records.record(scores)]) for scores in entries]
    keys = sorted({key for one in gathered for key in one})
    table = patient_scores([{k: case_values(v) for k, v in one.items()} for one in gathered], keys)
    directions = {name: ranking_direction(name) for name in rank_by}
    return ranking_data(table, gathered, range(len(entries)), directions)


def scores(values, **other):
    """A score a patient; None is one that could not be computed."""
    return [
        made_records.score(f"p{i}", value, state="error" if value is None else "ok", **other)
        for i, value in enumerate(values)
    ]


def ranks(entries, method, rank_by=("dice",)):
    return ranks_by_method(data_of(entries, rank_by), method)[1][:, 0].tolist()


def test_one_bad_patient_outweighs_by_means_but_not_by_ranks():
    """Means 0.70 and 0.75; but the first is better in three of four patients."""
    entries = [scores([0.9, 0.9, 0.9, 0.1]), scores([0.75, 0.75, 0.75, 0.75])]
    assert ranks(entries, "aggregate-then-rank") == [2, 1]
    assert ranks(entries, "rank-then-aggregate") == [1, 2]
    assert ranking_values(data_of(entries), "rank-then-aggregate", "dice").ravel().tolist() == [1.25, 1.75]


def test_ranks_within_cells_are_averaged_over_cells_each_equal():
    """LV in four patients, RV in one: ranks 1 2 2 2 and 2 1 1 1 there, 2 and 1 here."""
    a = [*scores([0.9, 0.7, 0.7, 0.7]), *scores([0.5], structure="RV")]
    b = [*scores([0.8, 0.8, 0.8, 0.8]), *scores([0.6], structure="RV")]
    found = ranking_values(data_of([a, b]), "rank-then-aggregate", "dice").ravel()
    assert found.tolist() == [(7 / 4 + 2) / 2, (5 / 4 + 1) / 2]


@pytest.mark.parametrize("metric", ["dice", "hd"])
def test_like_challenger_equal_values_share_the_smallest_rank(metric):
    found = ranking_values(
        data_of([scores([0.6], metric=metric), scores([0.6], metric=metric)], [metric]),
        "rank-then-aggregate",
        metric,
    )
    assert found.ravel().tolist() == [1.0, 1.0]


def test_like_challenger_a_missing_value_ranks_last():
    entries = [scores([None, 0.9]), scores([0.8, 0.8])]
    found = ranking_values(data_of(entries), "rank-then-aggregate", "dice")
    assert found.ravel().tolist() == [1.5, 1.5]
    assert ranks([scores([None]), scores([0.8])], "rank-then-aggregate") == [2, 1]


@pytest.mark.parametrize(("higher", "expected"), [(False, [1, 0]), (True, [0, 1])])
def test_like_challenger_four_equal_gains_are_significant(higher, expected):
    """0.2 against 1.0 in four cases, as in its own tests: z is (10 - 5 - 0.5) / 2.5, p 0.036 uncorrected."""
    p = p_values(np.array([[0.2, 1.0]] * 4), higher_is_better=higher)
    assert min(p[0, 1], p[1, 0]) == pytest.approx(0.0359303)
    assert significant_wins(p).tolist() == expected


@pytest.mark.parametrize(("metric", "expected"), [("hd", [1, 2]), ("dice", [2, 1])])
def test_a_significant_win_survives_holms_correction(metric, expected):
    """Five cases: z is (15 - 7.5 - 0.5) / 11.25^(1/2), p 0.018, and 0.037 of two tests; four are too few."""
    for cases, found in ((5, expected), (4, [1, 1])):
        entries = [scores([0.2] * cases, metric=metric), scores([1.0] * cases, metric=metric)]
        assert ranks(entries, "test-then-rank", [metric]) == found


@pytest.mark.parametrize("patients", range(8, 16))
def test_a_rank_by_tests_is_within_its_interval(patients):
    """Six entries apart in every patient. Ranks by exact p once lay outside resamples by the approximation.

    There is no win up to 11 patients, 30 * 0.0019 = 0.058; from 12 on z is (78 - 39 - 0.5) / 162.5^(1/2).
    """
    records = [
        made_records.record(
            scores([0.9 - place * (0.05 + i / 1000) for i in range(patients)]), entry=("net", str(place))
        )
        for place in range(6)
    ]
    protocol = made_records.protocol(rank_method="test-then-rank")
    results = build("quick", protocol, "", records, resamples=200).results
    assert all(r.rank_interval[0] <= r.rank <= r.rank_interval[1] for r in results)
    assert [r.rank for r in results] == ([1] * 6 if patients < 12 else [1, 2, 3, 4, 5, 6])


def test_like_challenger_two_cases_are_too_few_to_win():
    assert ranks([scores([0.6] * 2), scores([0.8] * 2)], "test-then-rank") == [1, 1]
    assert ranks([scores([0.6]), scores([0.8])], "test-then-rank") == [1, 1]


def test_what_cannot_be_computed_is_left_out_of_its_test():
    """Four differences are not significant, five are."""
    better, worse = [0.9] * 5, [0.1] * 5
    assert ranks([scores(better), scores(worse)], "test-then-rank") == [1, 2]
    assert ranks([scores(better), scores([None, *worse[1:]])], "test-then-rank") == [1, 1]


def test_a_structure_rightly_not_found_beats_an_invented_one():
    right = [made_records.score("p0", None, state="both-empty"), made_records.score("p1", 0.5)]
    wrong = [made_records.score("p0", 0.0, state="reference-empty"), made_records.score("p1", 0.5)]
    for method in METHODS[:2]:
        assert ranks([right, wrong], method) == [1, 2]


def test_overall_is_the_mean_of_ranks_by_each_metric():
    """Dice ranks a 1, b 2, c 3; hd ranks them 3, 2, 1: all tie."""
    entries = [
        [*scores([dice]), *scores([hd], metric="hd")] for dice, hd in ((0.9, 12.0), (0.8, 11.0), (0.7, 10.0))
    ]
    for method in METHODS[:2]:
        mean, rank = ranks_by_method(data_of(entries, ("dice", "hd")), method)
        assert (mean[:, 0].tolist(), rank[:, 0].tolist()) == ([2.0] * 3, [1] * 3)


def test_a_metric_without_a_better_direction_cannot_rank():
    with pytest.raises(ConfigError, match="no better direction"):
        ranking_direction("volume")
    records = [made_records.record(scores([120.0, 110.0], metric="volume"))]
    with pytest.raises(ConfigError, match="no better direction"):
        build("quick", made_records.PROTOCOL.model_copy(update={"rank_by": ("volume",)}), "", records)


def test_the_board_ranks_by_the_protocols_method():
    records = [
        made_records.record(scores(values), entry=("net", loss))
        for loss, values in (("a", [0.9, 0.9, 0.9, 0.1]), ("b", [0.75] * 4))
    ]

    def first(**other):
        return build("quick", made_records.protocol(**other), "", records, resamples=0).results[0].entry.loss

    assert first() == "b"
    assert first(rank_method="aggregate-then-rank") == "b"
    assert first(rank_method="rank-then-aggregate") == "a"


VALUE = st.integers(0, 20).map(lambda v: v / 20)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(VALUE, min_size=4, max_size=4), min_size=2, max_size=5),
    st.integers(0, 3),
    VALUE,
    st.sampled_from(["dice", "hd"]),
    st.sampled_from(METHODS[:2]),
)
def test_worsening_a_prediction_never_improves_its_rank(entries, patient, other, metric, method):
    worst = min if metric == "dice" else max
    changed = [list(values) for values in entries]
    changed[0][patient] = worst(changed[0][patient], other)
    before, after = (
        ranks([scores(values, metric=metric) for values in rows], method, [metric])
        for rows in (entries, changed)
    )
    assert after[0] >= before[0]


def test_inventing_a_structure_never_improves_a_rank():
    rest = scores([0.6, 0.7, 0.8], structure="RV")
    others = [[*scores([0.5, 0.5, 0.5]), *rest], [*scores([0.9, 0.9, 0.9]), *rest]]
    right = [made_records.score("p0", None, state="both-empty"), *scores([0.7, 0.7, 0.7])[1:], *rest]
    wrong = [made_records.score("p0", 0.0, state="reference-empty"), *scores([0.7, 0.7, 0.7])[1:], *rest]
    for method in METHODS:
        assert ranks([right, *others], method)[0] <= ranks([wrong, *others], method)[0]
