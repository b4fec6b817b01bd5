"""Checkpoints: a torn one costs an epoch, a foreign one is not used."""

from pathlib import Path

import pytest
import torch

from harness.train import checkpoint


def state(epoch: int, key: str = "k") -> dict[str, object]:
    return {"key": key, "epoch": epoch, "criterion": {}, "model": {"w": torch.full((3,), float(epoch))}}


def test_the_newest_is_loaded_and_one_spare_is_kept(tmp_path: Path) -> None:
    for epoch in range(3):
        checkpoint.save(tmp_path, state(epoch))
    loaded = checkpoint.load(tmp_path, "k")
    assert loaded is not None
    assert loaded["epoch"] == 2
    assert {path.name for path in tmp_path.iterdir()} == {checkpoint.CURRENT, checkpoint.PREVIOUS}


@pytest.mark.parametrize("size", [0, 10, 400])
def test_a_torn_checkpoint_falls_back_to_the_one_before(tmp_path: Path, size: int) -> None:
    checkpoint.save(tmp_path, state(0))
    checkpoint.save(tmp_path, state(1))
    current = tmp_path / checkpoint.CURRENT
    current.write_bytes(current.read_bytes()[:size])
    loaded = checkpoint.load(tmp_path, "k")
    assert loaded is not None
    assert loaded["epoch"] == 0


def test_killed_between_setting_aside_and_writing_goes_on_from_the_spare(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, state(0))
    (tmp_path / checkpoint.CURRENT).replace(tmp_path / checkpoint.PREVIOUS)
    assert checkpoint.load(tmp_path, "k") is not None


def test_a_checkpoint_of_another_training_is_not_used(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, state(0, key="other"))
    assert checkpoint.load(tmp_path, "k") is None
    assert checkpoint.load(tmp_path / "nowhere", "k") is None


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (print, ("ran",))

    torch.save({"key": "k", "evil": Evil()}, tmp_path / checkpoint.CURRENT)
    assert checkpoint.load(tmp_path, "k") is None


def test_checkpoints_take_a_twentieth_of_the_training_at_most() -> None:
    """Epochs of 0.7 s and writes of 0.2 s: one in 4 s of training."""
    seconds, written = {"train": 0.0, "checkpoint": 0.0}, []
    for epoch in range(1, 31):
        seconds["train"] += 0.7
        if checkpoint.due(seconds):
            seconds["checkpoint"] += 0.2
            written.append(epoch)
    assert written == [1, 6, 12, 18, 23, 29]
