"""Scores in a notebook."""

from __future__ import annotations

import json

import made_records
import pytest

from harness.errors import DataError
from harness.views.frame import read_scores
from harness.views.leaderboard_folder import write_leaderboard


def test_means_of_the_frame_are_those_of_the_leaderboard(board_of, tmp_path):
    records = made_records.quick(patients=3, seeds=(0, 1))
    write_leaderboard(tmp_path, board_of(records), records)
    frame = read_scores(tmp_path)
    assert len(frame) == sum(len(record.cases) for record in records)
    assert not frame["seed"].isin({0, 1}).eq(False).any()

    means = frame.groupby(["model", "loss", "metric", "structure", "phase"])["value"].mean()
    for entry in json.loads((tmp_path / "leaderboard.json").read_text())["entries"]:
        cell = entry["scores"]["dice"]["LV"]["ED"]
        assert means[entry["model"], entry["loss"], "dice", "LV", "ED"] == pytest.approx(cell["mean"])


def test_a_folder_without_records_says_so(tmp_path):
    with pytest.raises(DataError, match="no records"):
        read_scores(tmp_path)
