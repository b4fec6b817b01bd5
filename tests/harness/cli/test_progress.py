"""A heartbeat in words: what a run is at, and how long it will still take."""

from typing import Any

import pytest

from harness.cli.progress import describe


def training(epoch: int, step: int, train_s: float) -> dict[str, Any]:
    return {"phase": "train", "epoch": epoch, "epochs": 10, "step": step, "steps": 5, "train_s": train_s}


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        # Of 50 steps of 2 s, all but the first are timed.
        (training(1, 1, 0.01), "trains"),
        (training(1, 2, 2.0), "96 s left"),
        (training(5, 5, 48.0), "50 s left"),
        (training(10, 5, 98.0), "0 s left"),
        ({**training(1, 2, 2.0), "loss": 0.25}, "loss 0.250, 96 s left"),
        ({"phase": "prepare", "prepared": 3, "cases": 8}, "prepares 3/8 cases"),
        ({"phase": "predict", "predicted": 3, "volumes": 8}, "predicts 3/8 volumes"),
    ],
)
def test_what_a_run_is_at(figures: dict[str, Any], words: str) -> None:
    assert describe(figures) == words
