"""How long a ranking with all its uncertainty takes.

    .venv/bin/pytest tests/benchmarks/test_ranking.py --benchmark-enable -n 0

50 entries of one seed or three, 150 patients, 20 metrics of three structures in two phases, 1,000
resamples, one thread.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.stats.bootstrap import Resampling, cell_means, overall_means
from harness.stats.confidence_intervals import intervals, rank_intervals, significantly_different
from harness.stats.groups import group_letters
from harness.stats.patient_scores import PatientScores
from harness.stats.ranking_methods import METHODS, RankingData, ranks_by_method
from harness.stats.stability import stability

ENTRIES, PATIENTS, METRICS = 50, 150, 20


def made_up(seeds: int) -> RankingData:
    """Entries whose means differ by about what they and their seeds vary; ranked by the first metric."""
    rng = np.random.default_rng(0)
    names = [f"nsd@{mm}mm" for mm in range(1, METRICS + 1)]
    keys = [(name, part, phase) for name in names for part in ("LV", "RV", "MYO") for phase in ("ED", "ES")]
    skill, hard = rng.normal(0.8, 0.02, (1, ENTRIES)), rng.normal(0, 0.1, (PATIENTS, 1))
    sums = {key: np.clip(skill + hard + rng.normal(0, 0.05, (PATIENTS, ENTRIES)), 0, 1) for key in keys}
    table = PatientScores(
        tuple(f"p{i:03}" for i in range(PATIENTS)),
        tuple(keys),
        sums,
        {key: np.ones((PATIENTS, ENTRIES)) for key in keys},
        {key: sums[key].mean(axis=0)[:, None] + rng.normal(0, 0.005, (ENTRIES, seeds)) for key in keys},
    )
    values = {names[0]: np.stack([sums[key] for key in table.cells(names[0])], axis=-1)}
    return RankingData(table, values, {names[0]: True})


def uncertainty(data: RankingData, method: Any, seeds: int) -> Any:
    """Intervals of every mean and rank, groups, and Kendall's tau."""
    draws = Resampling.draw(PATIENTS, [f"e{entry}" for entry in range(ENTRIES)], [seeds] * ENTRIES, 1000)
    for name in dict.fromkeys(name for name, _, _ in data.scores.keys):
        means, has = cell_means(data.scores, name, draws)
        intervals(means, has, PATIENTS)
        intervals(*overall_means(means, has), PATIENTS)
    mean_ranks, ranks = ranks_by_method(data, method, draws)
    points = {one: ranks_by_method(data, one)[1][:, 0] for one in METHODS}
    order = [int(row) for row in np.argsort(points[method], kind="stable")]
    letters = group_letters(order, significantly_different(mean_ranks, PATIENTS))
    return rank_intervals(ranks, PATIENTS), letters, stability(points[method], ranks, PATIENTS, points)


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_thousand_resamples(benchmark: Any, method: Any, seeds: int) -> None:
    given = (made_up(seeds), method, seeds)
    limits, letters, _ = benchmark.pedantic(uncertainty, given, rounds=3, warmup_rounds=1)
    assert len(limits) == len(letters) == ENTRIES
