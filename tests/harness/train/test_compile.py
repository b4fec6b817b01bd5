"""torch.compile as a protocol's choice: the same training, warm-up apart, weights that anybody can load."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path

import pytest
import torch
from tiny_training import CPU, CROSS_ENTROPY, NET, made_spec, run_training

from harness.measure.clocks import Phases

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")


def test_each_size_is_compiled_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a training that goes on after its coarse epochs runs the code of an undisturbed one."""
    sizes: list[list[object]] = []

    def watch(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> object:
        sizes.append([side for one in inputs for side in one.shape if not isinstance(side, int)])
        return graph.forward

    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend=watch))
    compiled = CPU.compiled(torch.nn.Conv2d(1, 2, 3))
    for side in (8, 16):
        compiled(torch.zeros(2, 1, side, side))
    torch.compiler.reset()
    assert sizes == [[], []]


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
