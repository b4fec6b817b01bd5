"""The optimisers of a protocol, over all parameters of a network and its loss."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from harness.contract.protocol import RunProtocol
from harness.train.muon import Muon

LAYERS = (nn.Linear, nn.modules.conv._ConvNd)
"""Modules whose weights are linear maps and suit Muon, unlike scales, offsets and embeddings."""


class Optimisers:
    """Several optimisers as one, each for its own parameters."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The parameter groups of all parts."""
        return [group for part in self.parts for group in part.param_groups]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset all gradients."""
        for part in self.parts:
            part.zero_grad(set_to_none)

    def step(self) -> None:
        """Update the parameters of all parts."""
        for part in self.parts:
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """The state of each part."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state of each part."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)


Optimiser = torch.optim.Optimizer | Optimisers


def make_optimiser(model: nn.Module, criterion: nn.Module, protocol: RunProtocol) -> Optimiser:
    """``adamw`` for all parameters, or ``muon`` for the weights of layers and ``adamw`` for the others."""
    # A loss may have parameters too, such as the weights of its terms.
    parameters = [*model.parameters(), *criterion.parameters()]
    rate, decay = protocol.learning_rate, protocol.weight_decay
    if protocol.optimiser == "adamw":
        return _adamw(parameters, rate, decay)
    weights = list({id(w): w for w in map(_weight, model.modules()) if w is not None}.values())
    with_muon = {id(weight) for weight in weights}
    rest = [parameter for parameter in parameters if id(parameter) not in with_muon]
    parts: list[torch.optim.Optimizer] = [Muon(weights, rate, decay)] if weights else []
    if rest:
        parts.append(_adamw(rest, rate, decay))
    return Optimisers(parts)


def _weight(module: nn.Module) -> nn.Parameter | None:
    """The weight of a layer if it is trainable and a single matrix; None otherwise.

    The weight of a grouped convolution is one matrix per group, so it is not included.
    """
    if not isinstance(module, LAYERS) or getattr(module, "groups", 1) > 1:
        return None
    weight = module._parameters.get("weight")
    if weight is None or not weight.requires_grad or weight.ndim < 2:
        return None
    return weight


def _adamw(parameters: list[nn.Parameter], rate: float, decay: float) -> torch.optim.AdamW:
    return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
