"""Muon: momentum whose matrices are made orthogonal before they are taken as steps.

torch's own is for matrices alone, without convolutions, and orthogonalises in bf16, which takes a CPU
without such instructions longer than a training step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
STEPS = 5
A, B, C = 3.4445, -4.7750, 2.0315
"""Coefficients of the iteration, by Jordan et al., https://kellerjordan.github.io/posts/muon/."""


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, and decoupled weight decay; ``(m, ...)`` counts as ``(m, n)``.

    Steps have the root mean square that AdamW's have, so that one learning rate and one weight decay
    serve both (Liu et al., arXiv:2502.16982, section 2.2).
    """

    def __init__(self, weights: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    # torch types a step with a closure that gives a loss; nothing here calls it with one.
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, weight.grad, group["lr"], group["weight_decay"])

    def _move(self, weight: Tensor, gradient: Tensor, rate: float, decay: float) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        momentum: Tensor = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        matrix = gradient.lerp(momentum, MOMENTUM).flatten(1)
        scale = 0.2 * math.sqrt(max(matrix.shape))
        weight.mul_(1 - rate * decay)
        weight.add_(orthogonal(matrix).reshape(weight.shape), alpha=-rate * scale)


def orthogonal(matrix: Tensor) -> Tensor:
    """A matrix ``(m, n)`` with its singular values moved to between about 0.7 and 1.2, in float32.

    X <- (A + B G + C GG) X with G = XX', a few times over. All factors are polynomials of the first G and
    commute, so they are multiplied first: kernels make matrices up to 27 times as wide as high, and
    of ten products with them two are left. TF32 or less is too coarse for it: rounding makes eigenvalues of G
    negative, and those grow.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = (matrix.T if tall else matrix).float()
    x = x / (x.norm() + 1e-7)
    gram = x @ x.T
    polynomial = factor = _factor(gram)
    for _ in range(STEPS - 1):
        gram = factor @ gram @ factor
        factor = _factor(gram)
        polynomial = factor @ polynomial
    x = polynomial @ x
    return x.T if tall else x


def _factor(gram: Tensor) -> Tensor:
    factor: Tensor = B * gram + C * gram @ gram
    factor.diagonal().add_(A)
    return factor
