"""Muon against the singular values it is defined by, and against torch's own for matrices."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from harness.train.muon import STEPS, A, B, C, Muon, orthogonal


def by_singular_values(matrix: Tensor) -> Tensor:
    """U p(S) V', with p the scalar iteration that the matrix iteration comes to."""
    u, s, vh = torch.linalg.svd(matrix.double() / matrix.double().norm(), full_matrices=False)
    for _ in range(STEPS):
        s = A * s + B * s**3 + C * s**5
    return u @ s.diag() @ vh


@pytest.mark.parametrize("shape", [(4, 16), (16, 4), (24, 24), (8, 8 * 27), (1, 9), (5, 1)])
def test_singular_values_are_moved_and_nothing_else(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    (moved,) = orthogonal([matrix])
    torch.testing.assert_close(moved, by_singular_values(matrix).float(), rtol=1e-3, atol=1e-4)


def test_directions_that_hardly_occur_come_up_too() -> None:
    """From a thousandth of the largest singular value on."""
    generator = torch.Generator().manual_seed(2)
    u, _, vh = torch.linalg.svd(torch.randn(8, 40, generator=generator), full_matrices=False)
    (matrix,) = orthogonal([u @ torch.logspace(0, -2.5, 8).diag() @ vh])
    moved = torch.linalg.svdvals(matrix)
    assert moved.min() > 0.6
    assert moved.max() < 1.25


def test_a_matrix_of_nothing_stays_so_and_no_gradient_moves_nothing() -> None:
    assert torch.equal(orthogonal([torch.zeros(3, 5)])[0], torch.zeros(3, 5))
    weight = nn.Parameter(torch.ones(3, 5))
    Muon([weight], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(weight, torch.ones(3, 5))


@pytest.mark.parametrize(
    "scales",
    [torch.logspace(0, -30, 128), torch.logspace(-30, 0, 128), torch.tensor([1e-12] * 96 + [1.0] * 32)],
    ids=["falling", "rising", "most near nothing"],
)
def test_momenta_of_filters_that_died_take_no_longer_than_others(scales: Tensor, one_thread: None) -> None:
    """Their products are below the smallest normal number, which many processors compute in microcode."""
    alive = torch.randn(128, 512, generator=torch.Generator().manual_seed(5))
    fading = alive * scales[:, None]
    of_alive, of_fading = ([_seconds(matrix) for _ in range(5)] for matrix in (alive, fading))
    assert min(of_fading) < 5 * min(of_alive)


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _seconds(matrix: Tensor) -> float:
    start = time.thread_time()
    orthogonal([matrix])
    return time.thread_time() - start


def test_weights_move_together_as_they_do_alone() -> None:
    """Of several heights, wide and tall, one of them without a gradient."""
    generator = torch.Generator().manual_seed(6)
    starts = [torch.randn(shape, generator=generator) for shape in [(8, 20), (30, 8), (8, 8), (5, 9), (8, 3)]]
    gradients = [torch.randn(start.shape, generator=generator) for start in starts]

    def moved(several: list[int]) -> list[Tensor]:
        weights = [nn.Parameter(starts[i].clone()) for i in several]
        optimiser = Muon(weights, lr=0.02, weight_decay=0.1)
        for factor in (1.0, -0.5):
            for i, weight in zip(several, weights, strict=True):
                weight.grad = None if i == 2 else factor * gradients[i]
            optimiser.step()
        return [weight.detach() for weight in weights]

    together = moved([0, 1, 2, 3, 4])
    assert torch.equal(together[2], starts[2])
    for i in range(5):
        torch.testing.assert_close(together[i], moved([i])[0])


@pytest.mark.parametrize("shape", [(6, 10), (10, 6)])
def test_matrices_move_as_with_torchs_own(shape: tuple[int, int]) -> None:
    """It iterates in bf16, whose steps are 1/256 apart."""
    # The project allows torch 2.6; the pinned build has it, so this runs wherever the pin is installed.
    if not hasattr(torch.optim, "Muon"):
        pytest.skip("this torch has no Muon of its own (2.9 and later have)")
    generator = torch.Generator().manual_seed(3)
    start = torch.randn(shape, generator=generator)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    mine = Muon([ours], lr=0.02, weight_decay=0.1)
    reference = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
    for _ in range(4):
        gradient = torch.randn(shape, generator=generator)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        mine.step()
        reference.step()
    way = (theirs - start).norm()
    assert way > 0.05
    assert (ours - theirs).norm() < 0.02 * way


@pytest.mark.parametrize(
    ("layer", "layout"),
    [
        (nn.Conv2d(3, 5, 3), torch.channels_last),
        (nn.Conv3d(3, 5, 3), torch.channels_last_3d),
        (nn.ConvTranspose2d(4, 2, 2), torch.channels_last),
    ],
)
def test_a_kernel_moves_as_its_matrix_does_in_whatever_layout(
    layer: nn.Conv2d, layout: torch.memory_format
) -> None:
    start = layer.weight.detach().clone()
    gradient = torch.randn(start.shape, generator=torch.Generator().manual_seed(4))
    matrix = nn.Parameter(start.flatten(1))
    matrix.grad = gradient.flatten(1)
    kernel = nn.Parameter(start.clone(memory_format=layout))
    kernel.grad = gradient.contiguous(memory_format=layout)
    for weight in (matrix, kernel):
        Muon([weight], lr=0.02, weight_decay=0.1).step()
    torch.testing.assert_close(kernel.flatten(1), matrix)
    assert kernel.is_contiguous(memory_format=layout)
