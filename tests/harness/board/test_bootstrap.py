"""Means of resampled patients and ranks from them, by hand, and whatever the order of input."""

from __future__ import annotations

import itertools

import made_records
import numpy as np
import pytest
from scipy import stats

from harness.board.aggregate import case_values, gather
from harness.board.board import Entry
from harness.board.build import build
from harness.board.score_arrays import patient_scores
from harness.stats.bootstrap import (
    Resampling,
    cell_means,
    overall_means,
    patient_weights,
)
from harness.stats.confidence_intervals import intervals
from harness.store.record import Record


def board(records, protocol=None, **other):
    planned = [made_records.plan(record) for record in records]
    return build("quick", protocol or made_records.PROTOCOL, "ab" * 32, records, planned, **other)


def table_of(*entries):
    """Patients × entries of lists of scores."""
    gathered = [gather([made_records.record(scores)]) for scores in entries]
    keys = sorted({key for one in gathered for key in one})
    return patient_scores([{k: case_values(v) for k, v in one.items()} for one in gathered], keys)


def draws(patients, resamples=1000, entries=1):
    return Resampling.draw(patients, [f"e{e}" for e in range(entries)], [1] * entries, resamples)


def test_means_of_resamples_are_those_of_the_drawn_patients():
    rng = np.random.default_rng(0)
    values = rng.uniform(0, 400, (9, 2))
    table = table_of(
        *(
            [made_records.score(f"p{i}", value, metric="hd") for i, value in enumerate(column)]
            for column in values.T
        )
    )
    means, has = cell_means(table, "hd", draws(9, 20, 2))
    assert has.all()
    for b, row in enumerate(patient_weights(9, 20).astype(int)):
        drawn = np.repeat(np.arange(9), row)
        assert means[:, 0, b] == pytest.approx(values[drawn].mean(axis=0), rel=1e-12)


def test_the_interval_is_scipys_percentile_bootstrap():
    """Both draw at random: with 1,000 resamples limits agree to a few percent of the interval's width.

    60 patients: the level is Φ(−√(60/59) · t(0.975, 59)) and not 0.025 (Hesterberg 2015).
    """
    rng = np.random.default_rng(2)
    values = rng.normal(0.85, 0.05, 60)
    table = table_of([made_records.score(f"p{i:02}", v) for i, v in enumerate(values)])
    limits = intervals(*cell_means(table, "dice", draws(60)), 60)[0, 0]
    level = stats.norm.cdf(-np.sqrt(60 / 59) * stats.t.ppf(0.975, 59))
    theirs = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=20_000,
        confidence_level=1 - 2 * level,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert limits == pytest.approx([theirs.low, theirs.high], abs=0.08 * width)


def test_cases_of_a_patient_move_together():
    """Two patients, one at 0 and one at 1 in both of their cases: a mean is 0, 1/2 or 1, never 1/4."""
    scores = [
        made_records.score(p, value, phase=phase)
        for p, value in (("a", 0.0), ("b", 1.0))
        for phase in ("ED", "ES")
    ]
    table = table_of(scores)
    means, _ = overall_means(*cell_means(table, "dice", draws(2, 200)))
    assert set(means.ravel()) == {0.0, 0.5, 1.0}


def test_entries_are_resampled_with_the_same_patients():
    """An entry that is 0.01 better in each patient is better in every resample, though intervals overlap."""
    records = [
        made_records.record(
            [made_records.score(f"p{i}", 0.5 + 0.04 * i + better) for i in range(10)], entry=("net", loss)
        )
        for loss, better in (("ce", 0.0), ("dice", 0.01))
    ]
    first, second = board(records).results
    assert first.overall_ci95["dice"][0] < second.overall_ci95["dice"][1]
    assert (first.rank_interval, second.rank_interval) == ((1, 1), (2, 2))
    assert (first.group, second.group) == ("A", "B")


def test_a_value_that_few_patients_have_is_averaged_where_it_is_drawn():
    """Only c has an RV: resamples without c have no RV, and their overall mean is LV's alone."""
    lv = [made_records.score(p, 0.8) for p in "abc"]
    table = table_of([*lv, made_records.score("c", 0.4, structure="RV")])
    means, has = cell_means(table, "dice", draws(3, 300))
    drawn = patient_weights(3, 300)[:, 2] > 0
    assert 0 < drawn.sum() < 300
    assert (has[0, 1] == drawn).all()
    total, known = overall_means(means, has)
    assert known.all()
    assert total[0] == pytest.approx(np.where(drawn, 0.6, 0.8))
    # Limits are over the resamples that have it, as if six patients did.
    assert intervals(means, has, 6)[0, 1] == pytest.approx([0.4, 0.4])


def test_both_empty_cases_and_errors_are_not_zeros():
    scores = [
        *(made_records.score(p, 0.8) for p in "abcdef"),
        made_records.score("x", None, state="both-empty"),
        made_records.score("y", None, state="error"),
    ]
    (result,) = board([made_records.record(scores)]).results
    low, high = result.scores["dice"]["LV"]["ED"].ci95
    assert (low, high) == (pytest.approx(0.8), pytest.approx(0.8))
    assert result.overall_ci95["dice"] == (low, high)


@pytest.mark.parametrize("patients", [5, 6])
def test_means_of_few_patients_have_no_interval(patients):
    """Percentiles end at the data: of five they held the true mean in 92 of 100 samples, of two in 50."""
    rv = [made_records.score(f"p{i}", 0.7 + i / 100, structure="RV") for i in range(patients)]
    lv = [made_records.score(f"p{i}", 0.8 + i / 100) for i in range(8)]
    (result,) = board([made_records.record([*lv, *rv])]).results
    assert (result.scores["dice"]["RV"]["ED"].ci95 is None) == (patients < 6)
    assert result.scores["dice"]["LV"]["ED"].ci95 is not None
    assert result.overall_ci95["dice"] is not None


def test_one_patient_has_no_interval():
    """An interval of no width would claim certainty."""
    (result,) = board([made_records.record([made_records.score("a", 0.8)])]).results
    assert (result.rank, result.rank_interval, result.group) == (1, None, None)
    assert result.scores["dice"]["LV"]["ED"].ci95 is None
    assert result.overall_ci95.get("dice") is None


@pytest.mark.parametrize(("patients", "intervals", "groups"), [(5, (1, 2), "AA"), (6, None, "AB")])
def test_few_patients_share_a_group_and_every_rank(patients, intervals, groups):
    """Far apart in each of five hearts: the next five may be the other way round."""
    records = [
        made_records.record([made_records.score(f"p{i}", base) for i in range(patients)], entry=("net", loss))
        for loss, base in (("ce", 0.9), ("dice", 0.5))
    ]
    found = board(records).results
    assert "".join(result.group for result in found) == groups
    assert [r.rank_interval for r in found] == ([intervals] * 2 if intervals else [(1, 1), (2, 2)])


def test_an_unranked_entry_keeps_the_intervals_of_its_means():
    full = made_records.record([made_records.score(p, 0.7) for p in "abcdefg"], entry=("net", "ce"))
    short = made_records.record([made_records.score(p, 0.8) for p in "abcdef"], entry=("net", "dice"))
    _, last = board([full, short]).results
    assert (last.rank, last.rank_interval, last.group) == (None, None, None)
    assert last.overall_ci95["dice"] == (pytest.approx(0.8), pytest.approx(0.8))


def test_all_equal_entries_share_rank_one_and_a_group():
    scores = [made_records.score(p, 0.7 + i / 100) for i, p in enumerate("abcdef")]
    made = board([made_records.record(scores, entry=("net", loss)) for loss in "xyz"])
    assert [(r.rank, r.rank_interval, r.group) for r in made.results] == [(1, (1, 1), "A")] * 3
    (field,) = made.fields
    assert (field.stability.tau, field.stability.ci95) == (1.0, (1.0, 1.0))
    assert all(p in (None, 1.0) for row in field.significance["dice"].p for p in row)


def test_order_of_records_and_cases_moves_no_bit():
    records = made_records.quick(patients=4, seeds=(0, 1))
    shuffled = [Record(**{**vars(record), "cases": record.cases[::-1]}) for record in reversed(records)]
    assert board(records) == board(shuffled)


def test_without_resamples_a_board_has_its_ranks_and_nothing_more():
    records = made_records.quick(patients=4)
    plain, sure = board(records, resamples=0), board(records)
    assert [(r.entry, r.rank, r.overall) for r in plain.results] == [
        (r.entry, r.rank, r.overall) for r in sure.results
    ]
    assert all(r.rank_interval is None and r.group is None and r.overall_ci95 == {} for r in plain.results)
    assert plain.fields[0].stability is None
    assert plain.fields[0].significance == {}


@pytest.mark.parametrize("method", ["aggregate-then-rank", "rank-then-aggregate", "test-then-rank"])
def test_every_way_to_rank_has_intervals(method):
    """Entries far apart in every patient: each way gives 1, 2, 3 and is sure of it."""
    records = [
        made_records.record(
            [made_records.score(f"p{i:02}", base + i / 1000) for i in range(20)], entry=("net", loss)
        )
        for loss, base in (("a", 0.9), ("b", 0.7), ("c", 0.5))
    ]
    made = board(records, made_records.protocol(rank_method=method))
    assert made.rank_method == method
    assert [(r.entry.loss, r.rank, r.rank_interval, r.group) for r in made.results] == [
        ("a", 1, (1, 1), "A"),
        ("b", 2, (2, 2), "B"),
        ("c", 3, (3, 3), "C"),
    ]
    assert made.fields[0].stability.tau == 1.0
    assert [m.tau for m in made.fields[0].stability.methods] == [1.0] * 3


def test_significance_is_in_the_order_of_the_ranking():
    made = board(made_records.quick(patients=20))
    found = made.fields[0].significance["dice"]
    assert found.entries == tuple(r.entry for r in made.results)
    assert isinstance(found.entries[0], Entry)
    for i, j in itertools.combinations(range(6), 2):
        assert found.p[i][j] <= found.p[j][i]
    assert [found.p[i][i] for i in range(6)] == [None] * 6


def test_shares_of_ranks_are_counted_over_the_resamples():
    made = board(made_records.quick())
    assert [sum(r.rank_shares.values()) for r in made.results] == pytest.approx([1] * 6, abs=1e-12)
    assert all(
        r.rank_interval[0] in r.rank_shares and r.rank_interval[1] in r.rank_shares for r in made.results
    )
