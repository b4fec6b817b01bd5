"""Training noise in intervals: as wide as the two-sample t interval, however many seeds."""

from __future__ import annotations

import math

import made_records
import numpy as np
import pytest
from scipy.stats import t

from harness.board.build import build
from harness.board.compare import compare
from harness.stats.groups import share_letter


def records(loss, by_seed, patients=40, spread=0.05):
    """An entry whose patients differ in the same way under every seed, and as every other entry's."""
    hard = np.linspace(-spread, spread, patients)
    return [
        made_records.record(
            [made_records.score(f"p{i:02}", value + own) for i, own in enumerate(hard)],
            entry=("net", loss),
            seed=seed,
        )
        for seed, value in enumerate(by_seed)
    ]


def board(*entries, **other):
    found = [record for entry in entries for record in entry]
    return build(
        "quick", made_records.protocol(**other), "ab" * 32, found, [made_records.plan(one) for one in found]
    )


@pytest.mark.parametrize("method", ["aggregate-then-rank", "rank-then-aggregate", "test-then-rank"])
def test_a_lead_within_the_noise_of_the_seeds_is_no_lead(method):
    """0.005 ahead in every patient; but seeds move either by 0.02: another training turns it round."""
    close = [records("a", (0.825, 0.805, 0.785)), records("b", (0.82, 0.80, 0.78))]
    first, second = board(*close, rank_method=method).results
    assert (first.rank_interval, second.rank_interval) == ((1, 2), (1, 2))
    assert share_letter(first.group, second.group)
    one_seed = board(*(entry[:1] for entry in close), rank_method=method)
    assert [r.rank_interval for r in one_seed.results] == [(1, 1), (2, 2)]


def test_a_lead_beyond_the_noise_of_the_seeds_is_one():
    first, second = board(records("a", (0.905, 0.90, 0.895)), records("b", (0.82, 0.80, 0.78))).results
    assert (first.rank_interval, second.rank_interval) == ((1, 1), (2, 2))
    assert (first.group, second.group) == ("A", "B")


def test_intervals_of_means_hold_the_seeds():
    """Patients all alike: what is left is the seeds' ± t(0.975, 2) s / √3, as far as a resample goes."""
    (plain,) = board(records("a", (0.80,), spread=0.0)).results
    (result,) = board(records("a", (0.82, 0.80, 0.78), spread=0.0)).results
    assert plain.overall_ci95["dice"] == (pytest.approx(0.8), pytest.approx(0.8))
    low, high = result.overall_ci95["dice"]
    # All three draws the best: 0.02 · √(3/2) · 4.3027 / 1.96.
    assert (low, high) == (pytest.approx(0.8 - 0.05377, abs=1e-4), pytest.approx(0.8 + 0.05377, abs=1e-4))
    assert result.scores["dice"]["LV"]["ED"].ci95 == (low, high)


@pytest.mark.parametrize("seeds", [2, 3])
def test_equal_entries_are_worse_once_in_forty_times_and_not_once_in_three(seeds):
    """Patients and seeds of one population; averaged seeds would say worse or better in a third or more."""
    rng = np.random.default_rng(seeds)
    said = []
    for _ in range(200):
        a, b = (records(loss, 0.8 + rng.normal(0, 0.01, seeds), patients=12) for loss in ("a", "b"))
        noise = rng.normal(0, 0.01, 12)
        b = [
            made_records.record(
                [
                    made_records.score(s.patient, s.value + own)
                    for s, own in zip(one.cases, noise, strict=True)
                ],
                entry=("net", "b"),
                seed=seed,
            )
            for seed, one in enumerate(b)
        ]
        said.append(compare(a, b).verdict)
    assert said.count("worse") / 200 <= 0.04
    assert said.count("better") / 200 <= 0.04


def test_one_seed_against_several_has_the_limits_of_the_t_interval():
    """Only B's spread is known: t(0.975, 4) · s / √5, and not t(0.975, 8)."""
    b = (0.84, 0.86, 0.83, 0.87, 0.85)
    (cell,) = compare(records("a", (0.8,), spread=0.0), records("b", b, spread=0.0)).cells
    half = 2.7764 * np.std(b, ddof=1) / math.sqrt(5)
    assert cell.ci95[1] - cell.ci95[0] == pytest.approx(2 * half, rel=0.08)


def test_a_compared_difference_has_the_limits_of_the_two_sample_t_interval():
    a, b = (0.80, 0.83, 0.82, 0.79, 0.81), (0.84, 0.86, 0.83, 0.87, 0.85)
    (cell,) = compare(records("a", a, spread=0.0), records("b", b, spread=0.0)).cells
    half = t.ppf(0.975, 8) * math.sqrt((np.var(a, ddof=1) + np.var(b, ddof=1)) / 5)
    assert cell.difference == pytest.approx(0.04)
    # The patients' level at 40 of them, 0.0206, adds 4 %; draws of five are not quite normal.
    assert cell.ci95[1] - cell.ci95[0] == pytest.approx(2 * half, rel=0.08)
