"""The preflight: memory and time of a run, from a few steps on random data of its largest batch and case."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import torch
from torch import Tensor

from harness.contract.protocol import RunProtocol
from harness.contract.spec import RunSpec
from harness.contract.trial import Footprint
from harness.measure.clocks import Steps
from harness.measure.compute import Compute
from harness.measure.memory import device_peak, host_peak, reset_peak
from harness.plugins.records import Task
from harness.predict.forward import probabilities
from harness.train.budget import COARSE, coarse_epochs
from harness.train.build import make_loss, make_model, make_task
from harness.train.stepper import Stepper

STEPS = 3
"""The number of steps and predictions that are timed after the first; their median counts."""


def preflight(spec: RunSpec, channels: int, deepest: int) -> Footprint:
    """Train a few steps on a full batch and predict a case of `deepest` slices; reads no data.

    The errors are those of a run: PluginError for wrong shapes, an out-of-memory error.
    """
    protocol = spec.protocol
    compute = Compute.choose(protocol.precision, deterministic=protocol.deterministic)
    task = make_task(spec, channels)
    model = compute.place(make_model(spec, task), task.dims)
    criterion = make_loss(spec, task).to(compute.device)
    stepper = Stepper.of(model, criterion, task, spec, compute)
    rate = protocol.learning_rate

    def step(factor: int) -> float:
        images, labels = _batch(protocol, factor, task, compute.device)
        return _timed(lambda: stepper(images, labels, rate), compute)

    reset_peak(compute.device)
    model.train()
    coarse_step_s = step(COARSE) if coarse_epochs(protocol) else 0.0
    step_s = step(1)
    gpu_train, _ = device_peak(compute.device)

    height, width = protocol.crop
    case = torch.randn(deepest, channels, height, width, device=compute.device)
    model.eval()
    reset_peak(compute.device)
    with torch.inference_mode():
        predict_s = _timed(lambda: probabilities(model, case, task, compute), compute)
    gpu_predict, _ = device_peak(compute.device)
    return Footprint(step_s, coarse_step_s, predict_s, gpu_train, gpu_predict, host_peak())


def _batch(protocol: RunProtocol, factor: int, task: Task, device: torch.device) -> tuple[Tensor, Tensor]:
    """A random batch at a resolution reduced by `factor`."""
    height, width = (pixels // factor for pixels in protocol.patch or protocol.crop)
    inside = (height, width) if task.dims == 2 else (protocol.depth or 1, height, width)
    images = torch.randn(protocol.batch, task.channels, *inside, device=device)
    labels = torch.randint(task.classes, (protocol.batch, *inside), device=device)
    return images, labels


def _timed(act: Callable[[], object], compute: Compute) -> float:
    """Seconds of a call: the median of several, after a first one."""
    act()
    compute.synchronise()
    steps = Steps(compute.device)
    steps.mark()
    for _ in range(STEPS):
        act()
        steps.mark()
    return statistics.median(steps.durations())
