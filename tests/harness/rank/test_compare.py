"""Paired comparison by patient, against closed forms and scipy."""

from __future__ import annotations

import random
from dataclasses import replace

import made_records
import pytest
from scipy.stats import wilcoxon

from harness.errors import HarnessError
from harness.rank.compare import compare


def pair(a, b, **other):
    """Records A and B with values by patient p0, p1, …; None leaves a patient out."""
    return [
        [
            made_records.record(
                [made_records.score(f"p{i}", v, **other) for i, v in enumerate(side) if v is not None],
                entry=("net", name),
            )
        ]
        for side, name in ((a, "ce"), (b, "dice"))
    ]


def test_difference_wins_and_p_by_hand():
    """Six distinct gains: the exact two-sided p of the signed-rank test is 2 / 2^6."""
    a = [0.5] * 6
    b = [0.51, 0.52, 0.53, 0.54, 0.55, 0.56]
    found = compare(*pair(a, b))
    (cell,) = found.cells
    assert (found.a, found.b, found.patients) == ("net + ce", "net + dice", 6)
    assert (cell.metric, cell.structure, cell.phase, cell.n) == ("dice", "LV", "ED", 6)
    assert cell.mean_a == pytest.approx(0.5)
    assert cell.difference == pytest.approx(0.035)
    assert cell.sd == pytest.approx((sum((i - 3.5) ** 2 for i in range(1, 7)) / 5) ** 0.5 / 100)
    assert cell.p == pytest.approx(2 / 2**6)
    assert (cell.wins, cell.losses, cell.ties) == (6, 0, 0)


def test_a_shorter_distance_is_a_win():
    (cell,) = compare(*pair([10.0, 8.0, 5.0], [9.0, 8.0, 6.5], metric="hd")).cells
    assert (cell.wins, cell.losses, cell.ties) == (1, 1, 1)
    assert cell.difference == pytest.approx((-1 + 0 + 1.5) / 3)


def test_p_is_scipys():
    draw = random.Random(3)
    a = [draw.uniform(0.6, 0.9) for _ in range(20)]
    b = [value + draw.uniform(-0.02, 0.05) for value in a]
    (cell,) = compare(*pair(a, b)).cells
    assert cell.p == pytest.approx(wilcoxon(b, a).pvalue)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([0.5] * 10, [0.5] * 10),
        ([0.5] * 5, [0.6, 0.61, 0.62, 0.63, 0.64]),
        ([0.5] * 8, [0.5] * 3 + [0.6] * 5),
    ],
)
def test_no_p_where_the_test_can_say_nothing(a, b):
    """All equal, or fewer than six patients that differ: p could not get below 0.05."""
    (cell,) = compare(*pair(a, b)).cells
    assert cell.p is None
    assert cell.ties == sum(x == y for x, y in zip(a, b, strict=True))


def test_patients_of_one_side_are_named_and_not_averaged_in():
    found = compare(*pair([0.5, 0.6, 0.1, None], [0.6, 0.7, None, 0.9]))
    assert (found.only_a, found.only_b, found.patients) == (("p2",), ("p3",), 2)
    (cell,) = found.cells
    assert (cell.n, cell.unpaired) == (2, 0)
    assert cell.mean_a == pytest.approx(0.55)


def test_a_patient_without_a_value_on_one_side_is_counted():
    a, b = pair([0.5, 0.6], [0.6, 0.7])
    b[0] = replace(b[0], cases=(b[0].cases[0], replace(b[0].cases[1], value=None, state="both-empty")))
    (cell,) = compare(a, b).cells
    assert (cell.n, cell.unpaired) == (1, 1)
    assert cell.sd is None


def test_seeds_are_averaged_within_a_patient():
    a, b = pair([0.5], [0.6])
    a.append(made_records.record([made_records.score("p0", 0.7)], entry=("net", "ce"), seed=1))
    (cell,) = compare(a, b).cells
    assert cell.difference == pytest.approx(0.0)
    assert cell.ties == 1


def test_what_cannot_be_paired_is_refused():
    a, b = pair([0.5], [0.6])
    with pytest.raises(HarnessError, match="finished run"):
        compare(a, [replace(b[0], status="failed")])
    with pytest.raises(HarnessError, match="no test patient in common"):
        compare(*pair([0.5, None], [None, 0.6]))
    other = made_records.record([made_records.score("p0", 0.5)], dataset="acdc")
    with pytest.raises(HarnessError, match="acdc with those of phantom"):
        compare(a, [other])
