"""Who moves which parameter, and that two optimisers go on as one."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.train.muon import Muon
from harness.train.optimise import Together, make_optimiser


class Net(nn.Module):
    """One of each kind of parameter; `head` shares its weight with `line`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.up = nn.ConvTranspose2d(4, 4, 2, stride=2)
        self.line = nn.Linear(4, 4)
        self.head = nn.Linear(4, 4, bias=False)
        self.head.weight = self.line.weight
        self.place = nn.Parameter(torch.zeros(1, 4, 1, 1))
        self.names = nn.Embedding(3, 4)
        self.still = nn.Conv2d(4, 4, 1).requires_grad_(False)


class Weighted(nn.Module):
    """A loss with a weight that it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))


def protocol(optimiser: str, **values: Any) -> dict[str, Any]:
    return {"optimiser": optimiser, "learning_rate": 0.01, "weight_decay": 0.1, **values}


def names(module: nn.Module, parameters: list[Tensor]) -> set[str]:
    known = {id(parameter): name for name, parameter in module.named_parameters()}
    return {known[id(parameter)] for parameter in parameters}


def test_muon_moves_the_weights_of_layers_and_adamw_the_rest() -> None:
    net, loss = Net(), Weighted()
    optimiser = make_optimiser(net, loss, protocol("muon"))
    assert isinstance(optimiser, Together)
    muon, adamw = optimiser.parts
    assert isinstance(muon, Muon)
    assert isinstance(adamw, torch.optim.AdamW)
    weights = [p for group in muon.param_groups for p in group["params"]]
    rest = [p for group in adamw.param_groups for p in group["params"]]
    assert names(net, weights) == {"conv.weight", "up.weight", "line.weight"}
    assert len(weights) == 3
    assert any(parameter is loss.weight for parameter in rest)
    everything = {id(p) for module in (net, loss) for p in module.parameters()}
    assert sorted(id(p) for p in [*weights, *rest]) == sorted(everything)


@pytest.mark.parametrize("net", [nn.Linear(3, 2, bias=False), nn.BatchNorm2d(3)])
def test_a_network_may_be_all_of_one_kind(net: nn.Module) -> None:
    optimiser = make_optimiser(net, nn.Identity(), protocol("muon"))
    assert len(optimiser.param_groups) == 1


def test_adamw_moves_everything_alone() -> None:
    net, loss = Net(), Weighted()
    optimiser = make_optimiser(net, loss, protocol("adamw"))
    assert isinstance(optimiser, torch.optim.AdamW)
    moved = {id(p) for group in optimiser.param_groups for p in group["params"]}
    assert moved == {id(p) for module in (net, loss) for p in module.parameters()}
    assert optimiser.defaults["lr"] == 0.01
    assert optimiser.defaults["weight_decay"] == 0.1


def test_two_go_on_as_one() -> None:
    """State is given back to the part that it came from."""
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(1))

    def trained(steps: int, resume: bool) -> Tensor:
        torch.manual_seed(0)
        net = nn.Linear(3, 2)
        optimiser = make_optimiser(net, nn.Identity(), protocol("muon"))
        for step in range(steps):
            if resume and step == 2:
                state = optimiser.state_dict()
                optimiser = make_optimiser(net, nn.Identity(), protocol("muon"))
                optimiser.load_state_dict(state)
            optimiser.zero_grad()
            net(x).square().sum().backward()
            optimiser.step()
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    assert torch.equal(trained(5, resume=False), trained(5, resume=True))
    assert not torch.equal(trained(2, resume=False), trained(5, resume=False))
