"""MONAI's losses behind the harness's call: its values, values by hand, and where losses tend to break."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from monai import losses as monai
from torch import Tensor, nn

from harness.errors import PluginError
from harness.plugins.records import Task
from harness.plugins.resolve import resolve
from harness.train.supervise import supervised, weights
from harness_monai import harness_losses

WEIGHTS = (0.5, 1.0, 2.0)
RECORDS = {record.name: record for record in harness_losses()}
BY_NAME = pytest.mark.parametrize("name", sorted(RECORDS))
VOLUMES = ["square", "simple", "uniform"]


def task(class_weights: tuple[float, ...] = WEIGHTS) -> Task:
    return Task(2, 1, len(class_weights), class_weights, ("A", "B")[: len(class_weights) - 1])


def make(name: str, class_weights: tuple[float, ...] = WEIGHTS, **params: Any) -> nn.Module:
    record = RECORDS[f"monai-{name}"] if not name.startswith("monai-") else RECORDS[name]
    target: Any = resolve(record.target)
    made: nn.Module = target(task(class_weights), **{**record.defaults, **params})
    return made


def batch(*shape: int, classes: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, classes, shape, generator=generator)
    return torch.randn((shape[0], classes, *shape[1:]), generator=generator), labels


OVERLAP = {"to_onehot_y": True, "softmax": True, "batch": True, "include_background": False}
FOCAL = {"to_onehot_y": True, "use_softmax": True}
ALL, FOREGROUND = torch.tensor(WEIGHTS), torch.tensor(WEIGHTS[1:])
PAIRS: list[tuple[str, dict[str, Any], nn.Module]] = [
    ("dice", {}, monai.DiceLoss(**OVERLAP, weight=FOREGROUND)),
    ("dice", {"weighted": False}, monai.DiceLoss(**OVERLAP)),
    ("dice", {"background": True}, monai.DiceLoss(**{**OVERLAP, "include_background": True}, weight=ALL)),
    (
        "dice",
        {"batch": False, "squared": True, "jaccard": True, "weighted": False, "smooth": 0.1},
        monai.DiceLoss(
            **{**OVERLAP, "batch": False}, squared_pred=True, jaccard=True, smooth_nr=0.1, smooth_dr=0.1
        ),
    ),
    ("dice-ce", {"weighted": False}, monai.DiceCELoss(**OVERLAP)),
    (
        "dice-ce",
        {"dice": 0.5, "ce": 2},
        monai.DiceCELoss(**OVERLAP, weight=ALL, lambda_dice=0.5, lambda_ce=2),
    ),
    ("dice-focal", {}, monai.DiceFocalLoss(**{**OVERLAP, "include_background": True}, weight=ALL)),
    ("dice-focal", {"background": False}, monai.DiceFocalLoss(**OVERLAP, weight=FOREGROUND)),
    ("focal", {}, monai.FocalLoss(**FOCAL, weight=ALL)),
    ("focal", {"softmax": False, "gamma": 1, "weighted": False}, monai.FocalLoss(True, True, gamma=1)),
    ("focal", {"softmax": False, "background": False}, monai.FocalLoss(False, True, weight=FOREGROUND)),
    ("tversky", {}, monai.TverskyLoss(**OVERLAP, alpha=0.3, beta=0.7)),
    *[
        (
            "generalized-dice",
            {"volume": volume},
            monai.GeneralizedDiceLoss(**{**OVERLAP, "include_background": True}, w_type=volume),
        )
        for volume in VOLUMES
    ],
    (
        "generalized-dice-focal",
        {"weighted": False, "gamma": 1.0, "dice": 2.0},
        monai.GeneralizedDiceFocalLoss(**{**OVERLAP, "include_background": True}, gamma=1.0, lambda_gdl=2.0),
    ),
]


@pytest.mark.parametrize(("name", "params", "theirs"), PAIRS)
@pytest.mark.parametrize("shape", [(2, 9, 7), (2, 3, 9, 7)])
def test_values_are_monais(
    name: str, params: dict[str, Any], theirs: nn.Module, shape: tuple[int, ...]
) -> None:
    """An entry named after MONAI's loss must be trained with that loss."""
    logits, labels = batch(*shape)
    expected = theirs(logits, labels[:, None]).item()
    assert make(name, **params)(logits, labels).item() == pytest.approx(expected, rel=1e-5)


P = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5], [0.6, 0.3, 0.1]]
T = torch.tensor([[[0, 1, 2, 1]]])
OVERLAPS, COUNTS, SUMS = (0.7, 1.1, 0.5), (1, 2, 1), (1.65, 1.55, 0.8)
LOGITS = torch.tensor(P, dtype=torch.float64).log().T[None, :, None, :]
"""Four pixels whose class probabilities are `P`; per class Σ t p, Σ t and Σ p."""

DICE = [1 - 2 * o / (t + p) for o, t, p in zip(OVERLAPS, COUNTS, SUMS, strict=True)]
CE = -sum(w * math.log(p) for w, p in [(0.5, 0.7), (1, 0.8), (2, 0.5), (1, 0.3)]) / 4.5
FOCAL_SUM = -sum(w * (1 - p) ** 2 * math.log(p) for w, p in [(0.5, 0.7), (1, 0.8), (2, 0.5), (1, 0.3)])


@pytest.mark.parametrize(
    ("name", "params", "expected"),
    [
        ("dice", {}, (1.0 * DICE[1] + 2.0 * DICE[2]) / 2),
        ("dice", {"background": True, "weighted": False}, sum(DICE) / 3),
        ("dice-ce", {"weighted": False, "ce": 0}, (DICE[1] + DICE[2]) / 2),
        ("dice-ce", {"dice": 0}, CE),
        ("focal", {}, FOCAL_SUM / 12),
        (
            "tversky",
            {"alpha": 0.2, "beta": 0.9},
            sum(
                1 - o / (o + 0.2 * (p - o) + 0.9 * (t - o))
                for o, t, p in list(zip(OVERLAPS, COUNTS, SUMS, strict=True))[1:]
            )
            / 2,
        ),
        (
            "generalized-dice",
            {},
            1
            - 2
            * sum(o / t**2 for o, t in zip(OVERLAPS, COUNTS, strict=True))
            / sum((p + t) / t**2 for t, p in zip(COUNTS, SUMS, strict=True)),
        ),
    ],
)
def test_values_by_hand(name: str, params: dict[str, Any], expected: float) -> None:
    """Formulas of the papers on four pixels; MONAI's own might change under us."""
    smooth: dict[str, Any] = {} if name == "focal" else {"smooth": 1e-12}
    assert make(name, **smooth, **params)(LOGITS, T).item() == pytest.approx(expected, rel=1e-6)


def test_deep_supervision_is_monais_with_weights_that_sum_to_one() -> None:
    logits, labels = batch(2, 16, 16)
    outputs = [logits, *(torch.randn(2, 3, 16 // 2**i, 16 // 2**i) for i in (1, 2))]
    ours = supervised(make("dice-ce"), outputs, labels)
    theirs = monai.DeepSupervisionLoss(monai.DiceCELoss(**OVERLAP, weight=ALL))(
        outputs, labels[:, None].float()
    )
    assert ours.item() == pytest.approx(theirs.item() / 1.75, rel=1e-5)
    assert weights(3) == pytest.approx([1 / 1.75, 0.5 / 1.75, 0.25 / 1.75])


@BY_NAME
@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 3, 4, 3)])
def test_gradients_in_double_precision(name: str, shape: tuple[int, ...]) -> None:
    logits, labels = batch(*shape)
    assert torch.autograd.gradcheck(
        lambda x: make(name)(x, labels), (logits.double().requires_grad_(),), fast_mode=True
    )


@BY_NAME
@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("size", [100.0, -100.0])
def test_one_class_targets_right_and_wrong_are_finite(name: str, label: int, size: float) -> None:
    """Most slices of a heart lack a structure, and some have none."""
    labels = torch.full((2, 4, 4), label)
    logits = torch.zeros(2, 3, 4, 4)
    logits[:, label] = size
    logits.requires_grad_()
    loss = make(name)(logits, labels)
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@BY_NAME
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_of_a_large_volume_cost_what_they_cost_in_double(
    name: str, dtype: torch.dtype
) -> None:
    """Sums over a hundred thousand pixels overflow fp16 and stall in bf16 unless widened."""
    logits, labels = batch(2, 10, 96, 96)
    logits = logits.to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = make(name)(logits, labels)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(make(name)(logits.double(), labels).item(), rel=1e-4)


@BY_NAME
def test_a_better_prediction_never_costs_more(name: str) -> None:
    labels = torch.tensor([[[0, 1, 2, 1, 0, 2]]])
    right = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).double()
    costs = [make(name)(right * sureness, labels).item() for sureness in range(-6, 7)]
    assert costs == sorted(costs, reverse=True)


@BY_NAME
def test_order_of_the_batch_does_not_matter(name: str) -> None:
    logits, labels = batch(4, 6, 6)
    loss = make(name)
    assert loss(logits, labels).item() == pytest.approx(loss(logits.flip(0), labels.flip(0)).item(), rel=1e-5)


@BY_NAME
def test_one_structure_alone_is_a_task_too(name: str) -> None:
    """MONAI drops the last channel's dimension rules where one is left."""
    logits, labels = batch(2, 6, 6, classes=2)
    assert torch.isfinite(make(name, class_weights=(0.3, 1.0))(logits, labels))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("dice", {"smooth": 0}),
        ("dice", {"smooth": math.nan}),
        ("dice-ce", {"ce": -1}),
        ("dice-ce", {"class_weights": (0.0, 1.0, 1.0)}),
        ("dice-focal", {"focal": "much"}),
        ("focal", {"gamma": -1}),
        ("focal", {"background": False}),
        ("tversky", {"alpha": -0.1}),
        ("generalized-dice", {"volume": "cube"}),
        ("generalized-dice-focal", {"dice": True}),
    ],
)
def test_wrong_parameters_are_one_line(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(PluginError, match=f"^monai-{name}: "):
        make(name, **params)
