"""Ways to train the same network on the same batches: the harness, the bare network, the plain way.

A way trains an epoch, then calls ``turn(figures)``, which waits until it is its turn again. Figures:
``seconds`` of ``steps`` steps, ``epoch_s`` with all that comes with an epoch, ``data_s``
seconds of getting as many batches and doing nothing with them.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from made_specs import with_protocol
from torch import Tensor, nn

from bench import transforms
from bench.work import Work
from harness.data.augment import augment
from harness.measure.clocks import Phases
from harness.measure.compute import Compute
from harness.train.batches import Resident, epoch_batches
from harness.train.build import make_loss, make_model, make_task
from harness.train.loop import TrainingContext, TrainingData, train

Turn = Callable[[dict[str, Any]], None]


def harness(work: Work, turn: Turn) -> None:
    """The harness's own loop as a worker runs it: with checkpoints, a heartbeat's callback, validation."""
    spec, compute = with_protocol(work.spec(), validate_every=1), Compute.choose("auto", deterministic=False)
    task = make_task(spec, 1)
    model = compute.place(make_model(spec, task), task.dims)
    criterion = make_loss(spec, task).to(compute.device)
    prepared = work.prepared()
    training = Resident.of(prepared, prepared.ids, compute.device)
    held_out = Resident.of(prepared, prepared.ids[: max(1, len(prepared.ids) // 9)], compute.device)
    clock, seen = Phases(), {"train": 0.0, "start": time.perf_counter()}

    def report(figures: dict[str, Any]) -> None:
        if "loss" not in figures:
            return
        epoch_s = time.perf_counter() - seen["start"]
        so_far = clock.seconds()["train"]
        data = data_s(training, spec, task, compute, work.steps)
        turn(
            {
                "seconds": so_far - seen["train"],
                "epoch_s": epoch_s,
                "data_s": data,
                "steps": figures["steps"],
                "precision": compute.precision,
            }
        )
        seen.update(train=so_far, start=time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        context = TrainingContext(compute, Path(folder), clock, report)
        train(model, criterion, task, spec, TrainingData(training, held_out), context)


def data_s(training: Resident, spec: Any, task: Any, compute: Compute, steps: int) -> float:
    """Seconds of gathering and augmenting an epoch's batches, as the loop does between its steps."""
    protocol = spec.protocol
    order = torch.Generator().manual_seed(0)
    changes = torch.Generator(compute.device).manual_seed(0)
    settings = protocol.augmentation
    depth = protocol.depth or 1
    batches = epoch_batches(training, task.dims, protocol.batch, task.slices, depth, order)
    compute.synchronise()
    start = time.perf_counter()
    for images, labels in itertools.islice(batches, steps):
        changed, _ = augment(images, labels, settings, changes)
        Compute.channels_last(changed)
    compute.synchronise()
    return time.perf_counter() - start


def bare(work: Work, turn: Turn) -> None:
    """The network alone on one resident batch: forward, loss, backward, clipping, fused AdamW; no data.

    Precision and memory layout are the harness's.
    """
    compute = Compute.choose("auto", deterministic=False)
    made = _made(work, compute)
    images, labels = (batch.to(compute.device) for batch in _one_batch(work))
    images = Compute.channels_last(images)
    step = _stepper(work, *made, fused=True, autocast=compute.autocast)
    made[0].train()
    while True:
        start = time.perf_counter()
        for _ in range(work.steps):
            step(images, labels)
        compute.synchronise()
        turn({"seconds": time.perf_counter() - start, "steps": work.steps})


def monai(work: Work, turn: Turn) -> None:
    """MONAI's dictionary transforms in a DataLoader, an fp32 loop as tutorials have it."""
    _plain(work, turn, transforms.monai_samples(work))


def torchio(work: Work, turn: Turn) -> None:
    """TorchIO's transforms in a DataLoader, the same loop."""
    _plain(work, turn, transforms.torchio_samples(work))


def _plain(work: Work, turn: Turn, samples: Any) -> None:
    compute = Compute(Compute.choose("fp32", deterministic=False).device, "fp32")
    # What torch does of its own accord, which the line above forbids.
    torch.backends.cudnn.allow_tf32 = True
    model, criterion = _made(work, compute, layout=False)
    step = _stepper(work, model, criterion, fused=False)
    loader: Iterable[tuple[Tensor, Tensor]] = torch.utils.data.DataLoader(
        samples,
        batch_size=work.settings().batch,
        shuffle=True,
        drop_last=True,
        num_workers=transforms.WORKERS,
        persistent_workers=transforms.WORKERS > 0,
        pin_memory=compute.device.type == "cuda",
        collate_fn=transforms.collate,
    )
    model.train()
    while True:
        total, start = 0.0, time.perf_counter()
        for images, labels in _sent(loader, compute.device):
            total += float(step(images, labels))
        trained = time.perf_counter() - start
        start = time.perf_counter()
        for _ in _sent(loader, compute.device):
            pass
        compute.synchronise()
        data_s = time.perf_counter() - start
        turn({"seconds": trained, "data_s": data_s, "steps": work.steps, "precision": "fp32"})


def _sent(loader: Iterable[tuple[Tensor, Tensor]], device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    for images, labels in loader:
        yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)


def _made(work: Work, compute: Compute, *, layout: bool = True) -> tuple[nn.Module, nn.Module]:
    spec = work.spec()
    task = make_task(spec, 1)
    model, criterion = make_model(spec, task), make_loss(spec, task).to(compute.device)
    return compute.place(model, task.dims) if layout else model.to(compute.device), criterion


def _one_batch(work: Work) -> tuple[Tensor, Tensor]:
    spec, prepared = work.spec(), work.prepared()
    resident = Resident.of(prepared, prepared.ids, torch.device("cpu"))
    protocol = spec.protocol
    order = torch.Generator().manual_seed(0)
    return next(epoch_batches(resident, work.dims, protocol.batch, 1, protocol.depth or 1, order))


def _stepper(
    work: Work, model: nn.Module, criterion: nn.Module, *, fused: bool, autocast: Any = None
) -> Callable[[Tensor, Tensor], Tensor]:
    protocol = work.settings()
    optimiser = torch.optim.AdamW(
        model.parameters(),
        lr=1e-4,
        weight_decay=protocol.weight_decay,
        fused=True if fused else None,
    )

    def step(images: Tensor, labels: Tensor) -> Tensor:
        if autocast is None:
            logits = model(images)
        else:
            with autocast():
                logits = model(images)
        loss: Tensor = criterion(logits.float(), labels.long())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no stub
        if protocol.gradient_clip is not None:
            nn.utils.clip_grad_norm_(model.parameters(), protocol.gradient_clip)
        optimiser.step()
        return loss.detach()

    return step


WAYS = {"harness": harness, "bare": bare, "monai": monai, "torchio": torchio}
