"""One training step: forward pass, loss, backward pass, optimiser update."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from harness.contract.spec import RunSpec
from harness.errors import PluginError
from harness.measure.compute import Compute
from harness.plugins.blame import calling
from harness.plugins.records import Task
from harness.train.optimise import Optimiser, make_optimiser
from harness.train.supervise import check_outputs, outputs_of, supervised


@dataclass
class Stepper:
    """One training step. `forward` is the network, compiled where the protocol says so."""

    model: nn.Module
    forward: Callable[[Tensor], object]
    criterion: nn.Module
    optimiser: Optimiser
    task: Task
    compute: Compute
    gradient_clip: float | None
    warm: bool = False

    @classmethod
    def of(
        cls, model: nn.Module, criterion: nn.Module, task: Task, spec: RunSpec, compute: Compute
    ) -> Stepper:
        """The step that a run's protocol defines; `model` keeps the weights."""
        protocol = spec.protocol
        with calling("model"):
            if not any(parameter.requires_grad for parameter in model.parameters()):
                raise PluginError("has no parameter to train")
        optimiser = make_optimiser(model, criterion, protocol)
        forward = compute.compiled(model) if protocol.compile else model
        return cls(model, forward, criterion, optimiser, task, compute, protocol.gradient_clip)

    def __call__(self, images: Tensor, labels: Tensor, rate: float) -> Tensor:
        """Train on a batch; returns the loss as a tensor on the device, without waiting for it."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        images = self.compute.channels_last(images)
        with self.compute.autocast(), calling("model"):
            outputs = outputs_of(self.forward(images))
            if not self.warm:
                check_outputs(outputs, images, self.task)
        # Outside autocast, in fp32: half precision can't hold sums over the pixels of a batch.
        with calling("loss"):
            loss = supervised(self.criterion, outputs, labels.long(), check=not self.warm)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no stub
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self.gradient_clip)
        self.optimiser.step()
        self.warm = True
        return loss.detach()
