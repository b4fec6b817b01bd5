"""The optimisers that a protocol names, over what a network and its loss may learn."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from harness.contract.protocol import RunProtocol
from harness.train.muon import Muon

LAYERS = (nn.Linear, nn.modules.conv._ConvNd)
"""Modules whose weights are linear maps, which Muon is for; scales, offsets and embeddings are not."""


class Optimisers:
    """Several as one, each for parameters of its own."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """Those of all parts."""
        return [group for part in self.parts for group in part.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none)

    def step(self) -> None:
        """Move the parameters of all parts."""
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """The state of each part."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Give each part its own."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)


Optimiser = torch.optim.Optimizer | Optimisers


def make_optimiser(model: nn.Module, criterion: nn.Module, protocol: RunProtocol) -> Optimiser:
    """``adamw`` over everything, or ``muon`` over the layers' weights with ``adamw`` over the rest."""
    # A loss may learn too, such as the weights of its terms.
    parameters = [*model.parameters(), *criterion.parameters()]
    rate, decay = protocol.learning_rate, protocol.weight_decay
    if protocol.optimiser == "adamw":
        return _adamw(parameters, rate, decay)
    weights = list({id(w): w for w in map(_weight, model.modules()) if w is not None}.values())
    taken = {id(weight) for weight in weights}
    rest = [parameter for parameter in parameters if id(parameter) not in taken]
    parts: list[torch.optim.Optimizer] = [Muon(weights, rate, decay)] if weights else []
    if rest:
        parts.append(_adamw(rest, rate, decay))
    return Optimisers(parts)


def _weight(module: nn.Module) -> nn.Parameter | None:
    """The weight of a layer if it learns and is one matrix; None for anything else.

    That of a grouped convolution is a matrix a group, and none of them all.
    """
    if not isinstance(module, LAYERS) or getattr(module, "groups", 1) > 1:
        return None
    weight = module._parameters.get("weight")
    if weight is None or not weight.requires_grad or weight.ndim < 2:
        return None
    return weight


def _adamw(parameters: list[nn.Parameter], rate: float, decay: float) -> torch.optim.AdamW:
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
