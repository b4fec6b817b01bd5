"""A heartbeat in words: what a run is at, and how long it will still take."""

from typing import Any

import pytest

from harness.train.budget import Budget
from harness.views.heartbeat import progress_text


def training(epoch: int, step: int, train_s: float, coarse: int = 0) -> dict[str, Any]:
    far = {"phase": "train", "epoch": epoch, "epochs": 10, "step": step, "steps": 5, "train_s": train_s}
    return {**far, **Budget(10, 5, coarse).shares(5 * (epoch - 1) + step - 1)}


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        # Of 50 steps of 2 s, all but the first are timed.
        (training(1, 1, 0.01), "training"),
        (training(1, 2, 2.0), "96 s left"),
        (training(5, 5, 48.0), "50 s left"),
        (training(10, 5, 98.0), "0 s left"),
        ({**training(1, 2, 2.0), "loss": 0.25}, "loss 0.250, 96 s left"),
        # Of 25 steps of 2 s before 25 of 8 s.
        (training(5, 5, 48.0, coarse=5), "3 min left"),
        # As left by a version that did not say how far it is.
        ({"phase": "train", "epoch": 2, "epochs": 10, "step": 1, "steps": 5, "train_s": 9.0}, "training"),
        ({"phase": "prepare", "prepared": 3, "cases": 8}, "preparing 3/8 cases"),
        ({"phase": "predict", "predicted": 3, "volumes": 8}, "predicting 3/8 volumes"),
    ],
)
def test_what_a_run_is_at(figures: dict[str, Any], words: str) -> None:
    assert progress_text(figures) == words
