"""Who moves which parameter, and that two optimisers go on as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from made_specs import run_protocol
from torch import Tensor, nn

from harness.contract.protocol import RunProtocol
from harness.train.muon import Muon
from harness.train.optimise import Optimisers, make_optimiser


class Flat(nn.Linear):
    """A layer whose weight is no matrix."""

    def __init__(self, features: int, out: int) -> None:
        super().__init__(features, out)
        self.weight = nn.Parameter(torch.ones(features))


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
        self.depthwise = nn.Conv2d(4, 4, 3, groups=4)
        self.flat = Flat(4, 4)


class Weighted(nn.Module):
    """A loss with a weight that it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))


def protocol(optimiser: str, **values: Any) -> RunProtocol:
    return run_protocol(optimiser=optimiser, learning_rate=0.01, weight_decay=0.1, **values)


def names(module: nn.Module, parameters: list[Tensor]) -> set[str]:
    known = {id(parameter): name for name, parameter in module.named_parameters()}
    return {known[id(parameter)] for parameter in parameters}


def test_muon_moves_the_weights_of_layers_and_adamw_the_rest() -> None:
    net, loss = Net(), Weighted()
    optimiser = make_optimiser(net, loss, protocol("muon"))
    assert isinstance(optimiser, Optimisers)
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


@pytest.mark.parametrize(
    ("net", "part"), [(nn.Linear(3, 2, bias=False), Muon), (nn.BatchNorm1d(3), torch.optim.AdamW)]
)
def test_a_network_may_be_all_of_one_kind(net: nn.Module, part: type) -> None:
    optimiser = make_optimiser(net, nn.Identity(), protocol("muon"))
    assert isinstance(optimiser, Optimisers)
    assert [type(one) for one in optimiser.parts] == [part]
    before = [parameter.clone() for parameter in net.parameters()]
    net(torch.randn(5, 3, generator=torch.Generator().manual_seed(1))).exp().sum().backward()
    optimiser.step()
    assert not any(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


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

    def trained(resumed: Callable[[dict[str, Any]], dict[str, Any]] | None) -> Tensor:
        torch.manual_seed(0)
        net = nn.Linear(3, 2)
        optimiser = make_optimiser(net, nn.Identity(), protocol("muon"))
        for step in range(5):
            if resumed and step == 2:
                state = resumed(optimiser.state_dict())
                optimiser = make_optimiser(net, nn.Identity(), protocol("muon"))
                optimiser.load_state_dict(state)
            optimiser.zero_grad()
            net(x).square().sum().backward()
            optimiser.step()
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    def forgetful(state: dict[str, Any]) -> dict[str, Any]:
        return {"parts": [{**part, "state": {}} for part in state["parts"]]}

    undisturbed = trained(None)
    assert torch.equal(undisturbed, trained(lambda state: state))
    assert not torch.equal(undisturbed, trained(forgetful))
