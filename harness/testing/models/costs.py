"""Information about the costs of a network: parameters, FLOPs, time and memory of a training step."""

from __future__ import annotations

import copy
import statistics

import torch
from torch import Tensor, nn

from harness.measure import cost
from harness.measure.clocks import Steps
from harness.measure.compute import Compute
from harness.measure.memory import MIB, device_peak, reset_peak
from harness.testing.models.fixtures import BASE, build, by, images_of, labels_of, take_step
from harness.testing.subject import Subject


def parameters(subject: Subject) -> str:
    """Information: the number of trainable parameters."""
    model, _ = build(subject)
    return f"{cost.parameters(model):,} trainable, {4 * cost.parameters(model) / MIB:.1f} MiB"


def flops(subject: Subject) -> str:
    """Information: floating-point operations of one image or volume; a multiply-add counts as two."""
    model, task = build(subject)
    shape = (1, task.channels, *BASE[task.dims])
    counted = cost.flops(model, shape)
    return f"{counted / 1e9:.3g} GFLOP for {by(shape[2:])}" if counted else "can't be counted"


def step(subject: Subject) -> str:
    """Information: time and memory of a training step on two images, on this machine."""
    compute = Compute.choose("auto", deterministic=False)
    model, task = build(subject)
    model = compute.place(model, task.dims).train()
    images = Compute.channels_last(images_of(task).to(compute.device))
    labels = labels_of(task, images)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    reset_peak(compute.device)
    with compute.autocast():
        held = _activations(model, images)
    take_step(model, images, labels, optimiser)
    steps = Steps(compute.device)
    steps.mark()
    for _ in range(3):
        with compute.autocast():
            take_step(model, images, labels, optimiser)
        steps.mark()
    peak, _ = device_peak(compute.device)
    if peak is None:
        # Weights, their gradients and AdamW's two moments, plus activations kept for the backward pass.
        peak = (4 * sum(value.numel() * value.element_size() for value in model.parameters()) + held) / MIB
    seconds = statistics.median(steps.durations())
    return f"{1000 * seconds:.0f} ms, {peak:.0f} MiB on {compute.device.type} for 2 x {by(images.shape[2:])}"


def _activations(model: nn.Module, images: Tensor) -> int:
    """Bytes that a forward pass keeps for the backward pass, without weights."""
    weights = {value.untyped_storage().data_ptr() for value in model.parameters()}
    kept: dict[int, int] = {}
    graph: list[Tensor] = []

    def pack(value: Tensor) -> Tensor:
        storage = value.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
        # The graph must stay alive while storages are identified by their addresses.
        graph.append(copy.deepcopy(model)(images))
    return sum(kept.values())
