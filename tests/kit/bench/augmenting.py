"""Ways to augment the batches of an epoch and do nothing with them. Figures: ``seconds`` of an epoch."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from bench import transforms
from bench.training import data_s
from bench.work import Work
from harness.measure.compute import Compute
from harness.train.batches import Resident
from harness.train.build import make_task

Turn = Callable[[dict[str, Any]], None]


def harness(work: Work, turn: Turn) -> None:
    """Gathered and augmented as whole batches on the device."""
    compute = Compute.choose("auto", deterministic=False)
    spec, prepared = work.spec(), work.prepared()
    task = make_task(spec, 1)
    resident = Resident.of(prepared, prepared.ids, compute.device)
    data_s(resident, spec, task, compute, work.steps)
    while True:
        turn({"seconds": data_s(resident, spec, task, compute, work.steps), "steps": work.steps})


def monai(work: Work, turn: Turn) -> None:
    """MONAI's dictionary transforms, sample by sample in this process."""
    _plain(work, turn, transforms.monai_samples(work))


def torchio(work: Work, turn: Turn) -> None:
    """TorchIO's transforms, sample by sample in this process."""
    _plain(work, turn, transforms.torchio_samples(work))


def _plain(work: Work, turn: Turn, samples: transforms.Samples) -> None:
    loader: Any = torch.utils.data.DataLoader(
        samples, batch_size=work.settings().batch, drop_last=True, collate_fn=transforms.collate
    )
    while True:
        start = time.perf_counter()
        for _ in loader:
            pass
        turn({"seconds": time.perf_counter() - start, "steps": work.steps})


WAYS = {"harness": harness, "monai": monai, "torchio": torchio}
