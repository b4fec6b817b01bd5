"""torch.compile as a protocol's choice: the same training, warm-up apart, weights that anybody can load."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from tiny_training import CROSS_ENTROPY, NET, made_spec, run_training

from harness.measure.clocks import Phases

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")


def test_compiled_training_learns_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))
    clocks, losses, keys = {}, {}, {}
    for compiled in (False, True):
        folder = tmp_path / str(compiled)
        folder.mkdir()
        clocks[compiled] = Phases()
        spec = made_spec(NET, CROSS_ENTROPY, compile=compiled)
        model, trained = run_training(spec, folder, clock=clocks[compiled])
        losses[compiled] = [epoch["loss"] for epoch in trained.history]
        keys[compiled] = list(model.state_dict())
    torch.compiler.reset()
    # Dropout draws other numbers in compiled code: alike, not equal.
    assert losses[True] == pytest.approx(losses[False], rel=0.1)
    assert losses[True][-1] < losses[True][0]
    assert keys[True] == keys[False]
    plain, compiling = (clocks[compiled].seconds()["first step"] for compiled in (False, True))
    assert compiling > 10 * plain
