"""Scoring beside prediction: the same scores from wherever they are computed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import hearts
import numpy as np
import psutil
import pytest

from harness.data.case import Case
from harness.metrics import score
from harness.pipeline.scoring import Scorer, Scoring

SPACING_MM = (10.0, 1.5, 1.5)
METRICS = ("dice", "hd", "volume")
SCORING = Scoring(hearts.STRUCTURES, METRICS)


def case(number):
    read: Any = lambda: None  # noqa: E731  # can't be pickled
    return Case(f"c{number}", f"p{number}", "ED", read, group="NOR")


def pair(number):
    rng = np.random.default_rng(number)
    reference = hearts.heart(rng, (6, 64, 64), SPACING_MM)
    return reference, hearts.predicted(rng, reference)


@pytest.mark.parametrize("workers", [0, 2])
def test_rows_come_in_order_whoever_scores(workers):
    with Scorer(SCORING, workers) as scorer:
        for number in range(5):
            reference, prediction = pair(number)
            scorer.add(case(number), reference, prediction, SPACING_MM)
        rows = scorer.rows()
    assert [row.case for row in rows] == [f"c{n}" for n in range(5) for _ in range(9)]
    pairs = [pair(number) for number in range(5)]
    expected = [
        one
        for reference, prediction in pairs
        for one in score(reference, prediction, SPACING_MM, hearts.STRUCTURES, METRICS)
    ]
    assert [(r.structure, r.metric, r.value) for r in rows] == [
        (e.structure, e.metric, e.value) for e in expected
    ]


def test_a_case_that_can_not_be_scored_is_counted_not_fatal():
    with Scorer(SCORING, 0) as scorer:
        scorer.add(case(0), np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3, 4), np.uint8), SPACING_MM)
        reference, prediction = pair(1)
        scorer.add(case(1), reference, prediction, SPACING_MM)
        rows = scorer.rows()
    assert {row.state for row in rows if row.case == "c0"} == {"error"}
    assert {row.value for row in rows if row.case == "c0"} == {None}
    assert {row.state for row in rows if row.case == "c1"} == {"ok"}


HOLDS_A_POOL = """
import time
import numpy as np
from harness.data.case import Case
from harness.pipeline.scoring import Scorer, Scoring

if __name__ == "__main__":
    with Scorer(Scoring({"LV": 1}, ("dice",)), 1) as scorer:
        ones = np.ones((2, 2, 2), np.uint8)
        scorer.add(Case("a", "a", None, None), ones, ones, (1.0, 1.0, 1.0))
        scorer.rows()
        print("up", flush=True)
        time.sleep(120)
"""


def test_scoring_processes_end_with_a_killed_run(tmp_path):
    """kill -9 on a run must not leave processes that wait for it forever."""
    script = tmp_path / "holds.py"
    script.write_text(HOLDS_A_POOL)
    run = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "up\n"
    children = psutil.Process(run.pid).children(recursive=True)
    assert children
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    run.stdout.close()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
