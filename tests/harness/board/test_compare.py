"""Paired comparison by patient, against closed forms and scipy."""

from __future__ import annotations

import random
from dataclasses import replace

import made_records
import numpy as np
import pytest
from made_specs import with_model, with_protocol
from scipy.stats import bootstrap, norm, t, wilcoxon

from harness.board.compare import compare
from harness.contract.protocol import EmptySpec
from harness.contract.spec import Algorithms
from harness.errors import ConfigError, HarnessError
from harness.views.compare import comparison


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


def test_the_interval_is_scipys_percentile_bootstrap():
    draw = np.random.default_rng(7)
    a = draw.uniform(0.6, 0.9, 40)
    gains = draw.normal(0.01, 0.03, 40)
    found = compare(*pair(a.tolist(), (a + gains).tolist()))
    level = norm.cdf(-np.sqrt(40 / 39) * t.ppf(0.975, 39))  # Hesterberg 2015
    theirs = bootstrap(
        (gains,),
        np.mean,
        n_resamples=20_000,
        confidence_level=1 - 2 * level,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    width = theirs.high - theirs.low
    assert found.cells[0].ci95 == pytest.approx((theirs.low, theirs.high), abs=0.08 * width)
    assert found.overall[0].ci95 == found.cells[0].ci95
    assert found.overall[0].difference == pytest.approx(gains.mean())


def test_equal_gains_are_better_and_equal_scores_equivalent():
    six = [0.4, 0.45, 0.5, 0.6, 0.7, 0.75]
    (cell,) = compare(*pair(six, [value + 0.1 for value in six])).cells
    assert cell.ci95 == (pytest.approx(0.1), pytest.approx(0.1))
    assert cell.verdict == "better"
    same = compare(*pair(six, six))
    assert (same.cells[0].verdict, same.verdict) == ("equivalent", "equivalent")


def test_a_margin_makes_small_differences_equivalent():
    sides = pair([0.5, 0.6, 0.7] * 2, [0.51, 0.61, 0.71] * 2)
    assert compare(*sides, margins={"dice": 0.02}).verdict == "equivalent"
    assert compare(*sides, margins={"dice": 0.005}).verdict == "better"
    assert compare(*sides).overall[0].margin == 0.0
    with pytest.raises(ConfigError, match="margin -1"):
        compare(*sides, margins={"dice": -1.0})
    with pytest.raises(ConfigError, match="dice"):
        compare(*sides, margins={"dise": 1.0})


def test_longer_distances_are_worse():
    assert compare(*pair([5.0, 6.0, 7.0] * 2, [6.0, 7.0, 8.0] * 2, metric="hd")).verdict == "worse"


def test_one_patient_decides_nothing():
    found = compare(*pair([0.5], [0.9]))
    assert (found.cells[0].ci95, found.cells[0].verdict, found.verdict) == (None, "undecided", "undecided")


def test_five_patients_decide_nothing_six_do():
    """Five that agree have a two-sided p of 0.0625 in a sign test, six of 0.031."""
    for patients, expected in ((5, "undecided"), (6, "better")):
        found = compare(*pair([0.5] * patients, [0.6] * patients))
        assert (found.cells[0].verdict, found.overall[0].verdict, found.verdict) == (expected,) * 3
        assert found.overall[0].n == patients
        assert (found.cells[0].ci95 is None, found.overall[0].ci95 is None) == (patients < 6,) * 2


def test_a_volume_has_an_interval_but_no_verdict():
    found = compare(*pair([100.0, 110.0] * 3, [101.0, 112.0] * 3, metric="volume"))
    low, high = found.cells[0].ci95
    assert 1.0 <= low < 1.5 < high <= 2.0
    assert (found.cells[0].verdict, found.overall) == (None, ())


def test_cells_are_equal_in_the_overall_difference():
    """LV gains 0.1 in four patients, RV loses 0.3 in one that has it: the mean is -0.1."""
    sides = pair([0.5] * 4, [0.6] * 4)
    rv = [made_records.score("p0", value, structure="RV") for value in (0.8, 0.5)]
    a, b = ([replace(side[0], cases=(*side[0].cases, one))] for side, one in zip(sides, rv, strict=True))
    (overall,) = compare(a, b).overall
    assert (overall.mean_a, overall.mean_b) == (pytest.approx(0.65), pytest.approx(0.55))
    assert overall.difference == pytest.approx(-0.1)


def test_inventing_a_structure_is_worse_altogether():
    """Where A rightly finds nothing there is no value to pair; a gate must see it all the same."""
    names = [f"p{i}" for i in range(6)]
    sides = [
        [made_records.record([made_records.score(p, value, state=state) for p in names], entry=("net", loss))]
        for value, state, loss in ((None, "both-empty", "ce"), (0.0, "reference-empty", "dice"))
    ]
    found = compare(*sides)
    assert (found.cells[0].n, found.cells[0].verdict) == (0, "undecided")
    assert (found.overall[0].mean_a, found.overall[0].mean_b) == (1.0, 0.0)
    assert found.verdict == "worse"


def test_without_resamples_there_is_no_verdict():
    found = compare(*pair([0.5, 0.6], [0.6, 0.7]), resamples=0)
    assert (found.cells[0].ci95, found.verdict) == (None, "undecided")
    assert found.cells[0].difference == pytest.approx(0.1)


def with_rules(record, algorithms=1, **empty):
    """`record` as scored by a version of the metrics, with rules for missing structures."""
    rules = EmptySpec(**{"one_empty_distance": "diagonal", "both_empty": "exclude", **empty})
    spec = with_protocol(record.spec, empty=rules)
    return replace(record, spec=replace(spec, algorithms=Algorithms(prepare=1, score=algorithms, train=2)))


def test_other_definitions_of_a_metric_are_refused():
    """A Dice that takes both-empty for perfect is another metric than one that leaves it out."""
    (a,), (b,) = pair([0.5, 0.6], [0.6, 0.7])
    assert compare([with_rules(a)], [with_rules(b)]).differ == ()
    with pytest.raises(
        ConfigError, match=r"dice was scored with both_empty exclude and with perfect.*rescore"
    ):
        compare([with_rules(a)], [with_rules(b, both_empty="perfect")])
    with pytest.raises(ConfigError, match="version 1 of the metrics and by version 2"):
        compare([with_rules(a)], [with_rules(b, algorithms=2)])


def test_a_rule_that_a_metric_does_not_follow_is_told_and_not_refused():
    """Distances of 500 mm where a structure is missing move no Dice."""
    for name, refused in (("dice", False), ("hd", True)):
        (a,), (b,) = pair([0.5, 0.6], [0.6, 0.7], metric=name)
        sides = [with_rules(a, one_empty_distance="diagonal")], [with_rules(b, one_empty_distance=500)]
        if refused:
            with pytest.raises(ConfigError, match="one_empty_distance"):
                compare(*sides)
        else:
            assert len(compare(*sides).differ) == 1


def test_what_differs_by_nature_between_2d_and_3d_is_no_difference():
    """Budgets are resolved by dimensions; the spacing is not."""
    (a,), (b,) = pair([0.5, 0.6], [0.6, 0.7])
    b = replace(b, spec=with_model(b.spec, dims=3), keys={**b.keys, "protocol": "x"})
    budgets = ((a, 7, 2.0), (b, 15, 2.0), (b, 15, 1.5))
    a, same, other = (
        replace(one, spec=with_protocol(one.spec, epochs=epochs, spacing_mm=mm))
        for one, epochs, mm in budgets
    )
    assert compare([a], [same]).differ == ()
    assert compare([a], [other]).differ == ("spacing_mm 2.0, not 1.5",)


def of_seeds(seeds, patients=8, loss="ce"):
    """A record a seed, with scores that move from seed to seed; `patients` are its number or by seed."""
    return [
        made_records.record(
            [
                made_records.score(f"p{i}", 0.7 + i / 100 + seed / 50)
                for i in (range(patients) if isinstance(patients, int) else patients[seed])
            ],
            entry=("net", loss),
            seed=seed,
        )
        for seed in seeds
    ]


def test_seeds_of_different_patients_are_told_as_none():
    """Seed 0 of four patients and seed 1 of the others: gaps filled from the other seed had no spread."""
    halves = of_seeds((0, 1), patients=(range(4), range(4, 8)))
    found = compare(halves, of_seeds((0, 1), loss="dice"))
    assert (found.seeds_a, found.seeds_b) == ((), (0, 1))
    text = " ".join(comparison(found).caption)
    assert (
        "seeds of B; A has no seeds with all patients, so the interval excludes its training variance" in text
    )
    whole = compare(of_seeds((0, 1)), of_seeds((0, 1), loss="dice"))
    assert (whole.seeds_a, whole.seeds_b) == ((0, 1), (0, 1))
    # What only one side has been tested on does not count.
    more = of_seeds((0, 1), patients=(range(9), range(8)))
    assert compare(more, of_seeds((0, 1), loss="dice")).seeds_a == (0, 1)


def test_the_same_runs_are_equivalent_whatever_their_seeds():
    own = of_seeds((0, 1))
    found = compare(own, own[::-1])
    assert (found.overall[0].ci95, found.verdict, found.same) == ((0.0, 0.0), "equivalent", True)
    assert "A and B are the same runs" in " ".join(comparison(found).caption)


def test_a_run_that_was_made_again_is_not_the_same():
    """A gate compares two trainings under one run id; one of other scores has its noise."""
    own = of_seeds((0, 1))
    again = [replace(one, cases=tuple(replace(c, value=c.value + 0.001) for c in one.cases)) for one in own]
    found = compare(own, again)
    low, high = found.overall[0].ci95
    assert (found.same, low < 0 < high, found.verdict) == (False, True, "undecided")
