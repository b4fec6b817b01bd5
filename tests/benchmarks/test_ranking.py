"""How long a ranking with all its uncertainty takes.

    .venv/bin/pytest tests/benchmarks/test_ranking.py --benchmark-enable -n 0

50 entries of one seed or three, 150 patients, 20 metrics of three structures in two phases, 1,000
resamples, one thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.board.bootstrap import Draws, cell_means, overall_means
from harness.board.methods import METHODS, Contest, standing
from harness.board.patients import Patients
from harness.stats.confidence_intervals import apart, intervals, rank_intervals
from harness.stats.groups import groups
from harness.stats.stability import stability

ENTRIES, PATIENTS, METRICS = 50, 150, 20


def made_up(seeds: int) -> Contest:
    """Entries whose means differ by about what they and their seeds vary; ranked by the first metric."""
    rng = np.random.default_rng(0)
    names = [f"nsd@{mm}mm" for mm in range(1, METRICS + 1)]
    keys = [(name, part, phase) for name in names for part in ("LV", "RV", "MYO") for phase in ("ED", "ES")]
    skill, hard = rng.normal(0.8, 0.02, (1, ENTRIES)), rng.normal(0, 0.1, (PATIENTS, 1))
    sums = {key: np.clip(skill + hard + rng.normal(0, 0.05, (PATIENTS, ENTRIES)), 0, 1) for key in keys}
    table = Patients(
        tuple(f"p{i:03}" for i in range(PATIENTS)),
        tuple(keys),
        sums,
        {key: np.ones((PATIENTS, ENTRIES)) for key in keys},
        {key: sums[key].mean(axis=0)[:, None] + rng.normal(0, 0.005, (ENTRIES, seeds)) for key in keys},
    )
    values = {names[0]: np.stack([sums[key] for key in table.cells(names[0])], axis=-1)}
    return Contest(table, values, names[:1])


def uncertainty(contest: Contest, method: Any, seeds: int) -> Any:
    """Intervals of every mean and rank, groups, and Kendall's tau."""
    draws = Draws.of(PATIENTS, [f"e{entry}" for entry in range(ENTRIES)], [seeds] * ENTRIES, 1000)
    for name in dict.fromkeys(name for name, _, _ in contest.table.keys):
        means, has = cell_means(contest.table, name, draws)
        intervals(means, has, PATIENTS)
        intervals(*overall_means(means, has), PATIENTS)
    mean_ranks, ranks = standing(contest, method, draws)
    points = {one: standing(contest, one)[1][:, 0] for one in METHODS}
    order = [int(row) for row in np.argsort(points[method], kind="stable")]
    letters = groups(order, apart(mean_ranks, PATIENTS))
    return rank_intervals(ranks, PATIENTS), letters, stability(points[method], ranks, PATIENTS, points)


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_thousand_resamples(benchmark: Any, method: Any, seeds: int) -> None:
    given = (made_up(seeds), method, seeds)
    limits, letters, _ = benchmark.pedantic(uncertainty, given, rounds=3, warmup_rounds=1)
    assert len(limits) == len(letters) == ENTRIES
