"""The noise floor of a leaderboard."""

from __future__ import annotations

import math

import made_records
import pytest

from harness.board.build import build
from harness.stats.noise_floor import NoiseFloor

HASH = "ab" * 32


def board(records, **other):
    planned = [made_records.plan(record) for record in records]
    return build("quick", made_records.PROTOCOL, HASH, records, planned, **other)


def test_the_boards_floor_is_of_its_overall_means():
    records = [
        made_records.record(
            [
                made_records.score(p, value + shift, structure=structure)
                for p, shift in (("a", 0.05), ("b", -0.05))
                for structure in ("LV", "RV")
            ],
            entry=("net", loss),
            seed=seed,
        )
        for loss, values in (("ce", (0.80, 0.82)), ("dice", (0.70, 0.74)))
        for seed, value in enumerate(values)
    ]
    (floor,) = board(records).fields[0].noise_floor.values()
    assert isinstance(floor, NoiseFloor)
    assert floor.sd == pytest.approx(math.sqrt((2 * 0.01**2 + 2 * 0.02**2) / 2))


def test_an_entry_that_lacks_runs_does_not_move_the_floor():
    records = made_records.quick(patients=2, seeds=(0, 1))
    whole = board(records).fields[0].noise_floor
    half = made_records.record([made_records.score("patient101", 0.1)], entry=("half", "x"), seed=0)
    assert board([*records, half]).fields[0].noise_floor == whole


def test_a_board_of_one_seed_has_no_floor():
    assert board(made_records.quick(patients=2)).fields[0].noise_floor is None
