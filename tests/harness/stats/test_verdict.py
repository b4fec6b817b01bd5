"""Verdicts, read off intervals."""

from __future__ import annotations

import pytest

from harness.stats.verdict import combined_verdict, verdict


@pytest.mark.parametrize(
    ("low", "high", "margin", "expected"),
    [
        (0.01, 0.02, 0.0, "better"),
        (-0.02, -0.01, 0.0, "worse"),
        (-0.01, 0.02, 0.0, "undecided"),
        (-0.01, 0.02, 0.02, "equivalent"),
        (0.01, 0.02, 0.02, "equivalent"),
        (0.01, 0.03, 0.02, "better"),
        (-0.03, -0.01, 0.02, "worse"),
        (-0.03, 0.01, 0.02, "undecided"),
        (0.0, 0.0, 0.0, "equivalent"),
        (0.0, 0.01, 0.0, "undecided"),
    ],
)
def test_a_verdict_is_read_off_the_interval(low, high, margin, expected):
    assert verdict((low, high), higher_is_better=True, margin=margin) == expected
    assert verdict((-high, -low), higher_is_better=False, margin=margin) == expected


def test_without_an_interval_nothing_is_decided():
    assert verdict(None, higher_is_better=True, margin=1.0) == "undecided"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["better", "undecided"], "better"),
        (["better", "equivalent"], "better"),
        (["worse", "equivalent"], "worse"),
        (["better", "worse"], "undecided"),
        (["equivalent", "equivalent"], "equivalent"),
        (["equivalent", "undecided"], "undecided"),
        ([], "undecided"),
    ],
)
def test_metrics_are_judged_together(verdicts, expected):
    assert combined_verdict(verdicts) == expected


def test_without_a_margin_a_small_lead_is_one():
    assert verdict((0.01, 0.02), higher_is_better=True) == "better"
