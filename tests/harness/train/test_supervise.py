"""Deep supervision: several outputs in training, weighed as nnU-Net weighs them, one in prediction."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from tiny_training import CROSS_ENTROPY, made_spec, run_training
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy

from harness.errors import PluginError
from harness.plugins.records import Task
from harness.train.supervise import check_outputs, outputs_of, resized, supervised, weights

TASK = Task(2, 1, 3, (1.0,) * 3, ("A", "B"))


class Plain(nn.Module):
    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(logits, labels)


class Pyramid(nn.Module):
    """Logits at full size, half and a quarter while it trains, and full-size ones alone afterwards."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.features = nn.Conv2d(task.channels, 6, 3, padding=1)
        self.heads = nn.ModuleList(nn.Conv2d(6, task.classes, 3, padding=1) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        features = self.features(x).relu()
        if not self.training:
            full: Tensor = self.heads[0](features)
            return full
        sizes = (avg_pool2d(features, 2**level) for level in range(3))
        return [head(each) for head, each in zip(self.heads, sizes, strict=True)]


@pytest.mark.parametrize(
    ("outputs", "expected"), [(1, [1]), (2, [2 / 3, 1 / 3]), (4, [8 / 15, 4 / 15, 2 / 15, 1 / 15])]
)
def test_weights_halve_and_sum_to_one(outputs: int, expected: list[float]) -> None:
    assert weights(outputs) == pytest.approx(expected)


def test_labels_of_a_smaller_output_are_those_at_its_pixels_centres() -> None:
    """Averaging labels would make up classes; the corner instead of the centre would shift them."""
    labels = torch.arange(32).reshape(1, 4, 8)
    assert resized(labels, (2, 4)).tolist() == [[[9, 11, 13, 15], [25, 27, 29, 31]]]
    assert resized(labels, (4, 8)) is labels
    volume = torch.arange(24).reshape(1, 2, 3, 4)
    assert torch.equal(resized(volume, (2, 3, 2)), volume[..., 1::2])
    assert resized(torch.full((1, 7, 5), 250), (3, 2)).unique().tolist() == [250]


def test_the_loss_is_the_weighted_sum_over_outputs() -> None:
    """Checked by hand: what a network is trained for is what the documentation says."""
    labels = torch.randint(3, (2, 8, 8))
    outputs = [torch.randn(2, 3, 8 // 2**level, 8 // 2**level, requires_grad=True) for level in range(3)]
    loss = supervised(Plain(), outputs, labels, check=True)
    parts = [
        cross_entropy(output, labels[:, start::step, start::step]).item()
        for output, start, step in zip(outputs, (0, 1, 2), (1, 2, 4), strict=True)
    ]
    assert loss.item() == pytest.approx((4 * parts[0] + 2 * parts[1] + parts[2]) / 7, rel=1e-6)
    loss.backward()
    assert all(output.grad is not None and output.grad.abs().sum() > 0 for output in outputs)


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: (x,)])
def test_one_output_costs_what_it_always_did(wrap) -> None:
    """Records of networks with one output stay comparable to the bit."""
    labels, logits = torch.randint(3, (2, 8, 8)), torch.randn(2, 3, 8, 8)
    assert torch.equal(supervised(Plain(), outputs_of(wrap(logits)), labels), cross_entropy(logits, labels))


def test_half_precision_outputs_are_widened_before_the_loss() -> None:
    logits, labels = torch.randn(2, 3, 8, 8).bfloat16(), torch.randint(3, (2, 8, 8))
    assert supervised(Plain(), [logits, logits[..., ::2, ::2]], labels).dtype == torch.float32


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ([], "an empty list"),
        ([torch.zeros(2, 3, 4, 4)], r"logits \(2, 3, 4, 4\) for input \(2, 1, 8, 8\)"),
        ([torch.zeros(2, 3, 8, 8), None], "output 2 of 2 of forward is a NoneType"),
        ([torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 9, 4)], "output 2 of 2 of forward has shape .*at most"),
        ([torch.zeros(2, 3, 8, 8), torch.zeros(2, 3, 4)], "output 2 of 2 of forward has shape"),
        ([torch.zeros(2, 3, 8, 8)] * 2 + [torch.zeros(2, 4, 4, 4)], "output 3 of 3 of forward has shape"),
        ([torch.zeros(2, 3, 8, 8), torch.zeros(1, 3, 4, 4)], "output 2 of 2 of forward has shape"),
    ],
)
def test_outputs_of_a_wrong_shape_are_named(outputs: list[Tensor], message: str) -> None:
    with pytest.raises(PluginError, match=message):
        check_outputs(outputs, torch.zeros(2, 1, 8, 8), TASK)


def test_a_loss_that_is_no_scalar_is_named_for_any_output() -> None:
    class Rows(nn.Module):
        def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
            return logits.mean() if logits.shape[-1] == 8 else logits.mean((1, 2, 3))

    outputs = [torch.zeros(2, 3, 8, 8, requires_grad=True), torch.zeros(2, 3, 4, 4, requires_grad=True)]
    with pytest.raises(PluginError, match=r"a tensor \(2,\), expected a scalar"):
        supervised(Rows(), outputs, torch.zeros(2, 8, 8).long(), check=True)


def test_a_network_with_several_outputs_trains_and_predicts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Validation and prediction see the full-size logits; every head learns."""
    module = ModuleType("made_pyramid")
    module.Pyramid = Pyramid  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_pyramid", module)
    spec = made_spec("made_pyramid:Pyramid", CROSS_ENTROPY, epochs=12, batch=2)
    torch.manual_seed(spec.seed)
    before = Pyramid(Task(2, 1, 2, (1.0, 1.0), ("LV",))).heads.state_dict()
    model, trained = run_training(spec, tmp_path)
    assert isinstance(model, Pyramid)
    assert trained.history[-1]["validation_dice"] > 0.9
    after = model.heads.state_dict()
    assert len(after) == 6
    assert not any(torch.equal(after[name], value) for name, value in before.items())
