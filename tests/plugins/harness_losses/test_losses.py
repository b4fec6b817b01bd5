"""The poster's losses against hand-computed values, and where losses tend to break."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from harness.errors import PluginError
from harness.plugins.records import Task
from harness_losses.losses import cross_entropy, log_dice, log_dice_ce

WEIGHTS = (0.5, 1.0, 2.0)


def task(weights: tuple[float, ...] = WEIGHTS) -> Task:
    return Task(2, 1, len(weights), weights, ("A", "B")[: len(weights) - 1])


def logits_of(p: list[list[float]]) -> Tensor:
    """Pixels' class probabilities as logits ``(1, K, 1, n)``."""
    return torch.tensor(p, dtype=torch.float64).log().T[None, :, None, :]


P = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5], [0.6, 0.3, 0.1]]
T = torch.tensor([[[0, 1, 2, 1]]])
ALL: list[Callable[[Task], nn.Module]] = [cross_entropy, log_dice, log_dice_ce]


def by_hand(factor: float, epsilon: float) -> float:
    """The poster's formula, written out: overlaps, label counts and probability sums of each class."""
    overlap = (0.7, 0.8 + 0.3, 0.5)
    t = (1, 2, 1)
    p = (0.7 + 0.1 + 0.25 + 0.6, 0.2 + 0.8 + 0.25 + 0.3, 0.1 + 0.1 + 0.5 + 0.1)
    return sum(
        w * math.log(2 - (factor * o + epsilon) / (a + b + epsilon))
        for w, o, a, b in zip(WEIGHTS, overlap, t, p, strict=True)
    )


@pytest.mark.parametrize("epsilon", [1.0, 1e-3])
@pytest.mark.parametrize(("form", "factor"), [("poster", 1.0), ("common", 2.0)])
def test_log_dice_is_the_printed_formula(form: str, factor: float, epsilon: float) -> None:
    loss = log_dice(task(), form, epsilon)(logits_of(P), T)
    assert loss.item() == pytest.approx(by_hand(factor, epsilon), rel=1e-12)


def test_cross_entropy_is_the_weighted_mean() -> None:
    terms = [(0.5, 0.7), (1.0, 0.8), (2.0, 0.5), (1.0, 0.3)]
    expected = -sum(w * math.log(p) for w, p in terms) / sum(w for w, _ in terms)
    assert cross_entropy(task())(logits_of(P), T).item() == pytest.approx(expected, rel=1e-12)


def test_the_sum_is_the_sum() -> None:
    args = (logits_of(P), T)
    both = log_dice(task())(*args) + 0.5 * cross_entropy(task())(*args)
    assert log_dice_ce(task(), ce=0.5)(*args).item() == pytest.approx(both.item(), rel=1e-12)


def test_perfect_match_is_zero_in_the_common_form_and_log_one_and_a_half_in_the_posters() -> None:
    perfect = torch.nn.functional.one_hot(T, 3).movedim(-1, 1).double() * 200
    assert log_dice(task(), "common", 1e-9)(perfect, T).item() == pytest.approx(0, abs=1e-6)
    assert log_dice(task(), "poster", 1e-9)(perfect, T).item() == pytest.approx(sum(WEIGHTS) * math.log(1.5))


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 3, 5, 4)])
def test_gradients_in_double_precision(make: Callable[[Task], nn.Module], shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, shape, generator=generator)
    logits = torch.randn(
        (shape[0], 3, *shape[1:]), dtype=torch.float64, generator=generator, requires_grad=True
    )
    assert torch.autograd.gradcheck(lambda x: make(task())(x, labels), (logits,))


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("size", [100.0, -100.0])
def test_one_class_targets_right_and_wrong_are_finite(
    make: Callable[[Task], nn.Module], label: int, size: float
) -> None:
    labels = torch.full((2, 4, 4), label)
    logits = torch.zeros(2, 3, 4, 4)
    logits[:, label] = size
    logits.requires_grad_()
    loss = make(task())(logits, labels)
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_weight_zero_for_all_labels_present_is_no_nan() -> None:
    assert cross_entropy(task((0.0, 1.0, 1.0)))(torch.randn(1, 3, 4, 4), torch.zeros(1, 4, 4).long()) == 0


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_of_a_large_volume_cost_what_they_cost_in_double(
    make: Callable[[Task], nn.Module], dtype: torch.dtype
) -> None:
    """Sums over a hundred thousand pixels overflow fp16 and stall in bf16 unless widened."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (2, 10, 96, 96), generator=generator)
    logits = torch.randn(2, 3, 10, 96, 96, generator=generator).to(dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = make(task())(logits, labels)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(make(task())(logits.double(), labels).item(), rel=1e-4)


@pytest.mark.parametrize("make", ALL)
def test_a_better_prediction_never_costs_more(make: Callable[[Task], nn.Module]) -> None:
    labels = torch.tensor([[[0, 1, 2, 1, 0, 2]]])
    right = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).double()
    costs = [make(task())(right * sureness, labels).item() for sureness in range(-6, 7)]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize("make", ALL)
def test_order_of_the_batch_does_not_matter(make: Callable[[Task], nn.Module]) -> None:
    labels, logits = torch.randint(0, 3, (4, 6, 6)), torch.randn(4, 3, 6, 6, dtype=torch.float64)
    assert make(task())(logits, labels).item() == pytest.approx(
        make(task())(logits.flip(0), labels.flip(0)).item()
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: log_dice(task(), form="dice"),
        lambda: log_dice(task(), epsilon=0),
        lambda: log_dice(task(), epsilon=float("nan")),
        lambda: log_dice_ce(task(), ce=-1),
        lambda: cross_entropy(task((0.0, 0.0, 0.0))),
    ],
)
def test_wrong_parameters_are_one_line(make: Callable[[], nn.Module]) -> None:
    with pytest.raises(PluginError):
        make()
