"""Steps and epochs of the harness beside the bare network and the plain way, in turns.

    .venv/bin/pytest tests/benchmarks/test_training.py --benchmark-enable -n 0

The plain way is what a tutorial shows: MONAI's (or TorchIO's) transforms in a torch DataLoader, the
network in fp32, ``loss.item()`` every step. Network, loss, batch, patch and ranges of augmentation
are the same for all.
"""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

import pytest
from bench.turns import contest, ratio
from bench.work import Work

NARROW = [Work("unet2d[base=8]", "quick", 12), Work("unet3d[base=8]", "quick", 8)]
FULL = [Work("unet2d", "standard", 2), Work("unet3d", "standard", 2)]
NNUNET = [Work("nnunet-2d[base=8]", "quick", 8, peer=True), Work("nnunet-3d[base=8]", "quick", 6, peer=True)]


def compared(benchmark: Any, capsys: Any, work: Work, ways: tuple[str, ...], rounds: int) -> None:
    there = [way for way in ways if find_spec(way)]
    seen = contest(benchmark, "training", work.title, ["bare", *there], asdict(work), rounds=rounds)
    benchmark.extra_info["absent"] = [way for way in ways if way not in there]
    told = ", ".join(f"{ratio(seen, way):.2f} times {way}" for way in seen if way != "harness")
    with capsys.disabled():
        print(f"\n{work.title}: steps a second {told}")


@pytest.mark.parametrize("work", NARROW, ids=lambda work: work.model)
def test_narrow_networks(benchmark: Any, capsys: Any, work: Work) -> None:
    compared(benchmark, capsys, work, ("monai", "torchio"), rounds=7)


@pytest.mark.parametrize("work", FULL, ids=lambda work: work.model)
def test_full_size(benchmark: Any, capsys: Any, work: Work) -> None:
    compared(benchmark, capsys, work, ("monai",), rounds=3)


@pytest.mark.parametrize("work", NNUNET, ids=lambda work: work.model)
def test_nnunets_network(benchmark: Any, capsys: Any, work: Work) -> None:
    pytest.importorskip("dynamic_network_architectures")
    compared(benchmark, capsys, work, ("monai",), rounds=5)
