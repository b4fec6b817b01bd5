"""Muon: momentum whose matrices are orthogonalised before they are used as updates.

torch's Muon accepts only matrices, no convolutions, and orthogonalises in bf16, which on a CPU without
bf16 instructions takes longer than a training step.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import hardshrink

MOMENTUM = 0.95
STEPS = 5
A, B, C = 3.4445, -4.7750, 2.0315
"""Coefficients of the iteration, by Jordan et al., https://kellerjordan.github.io/posts/muon/."""
NEAR_NOTHING = 1e-7
"""Added to norms, so that a matrix far smaller than this does not become a full-size update."""
NOTHING = 1e-9
"""Entries below this share of a matrix's norm count as 0. The momenta of dead filters decay without end, and
on a CPU their products, as subnormal numbers, took 30 to 50 times as long."""


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum and decoupled weight decay; ``(m, ...)`` is treated as ``(m, n)``.

    Updates have the root mean square of AdamW's, so that one learning rate and one weight decay serve
    both (Liu et al., arXiv:2502.16982, section 2.2).
    """

    def __init__(self, weights: Iterable[nn.Parameter], lr: float, weight_decay: float) -> None:
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    # torch types `step` with a closure that returns a loss; nothing here passes one.
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update every weight that has a gradient."""
        for group in self.param_groups:
            # On a GPU kernel launches take the time; matrices with the same smaller dimension share them.
            by_height: dict[int, list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    by_height[min(weight.shape[0], weight.shape[1:].numel())].append((weight, weight.grad))
            for moving in by_height.values():
                self._move(moving, group["lr"], group["weight_decay"])

    def _move(self, moving: list[tuple[Tensor, Tensor]], rate: float, decay: float) -> None:
        weights, gradients = [weight for weight, _ in moving], [gradient for _, gradient in moving]
        for weight in weights:
            if not self.state[weight]:
                self.state[weight]["momentum"] = torch.zeros_like(weight)
        momenta: list[Tensor] = [self.state[weight]["momentum"] for weight in weights]
        torch._foreach_lerp_(momenta, gradients, 1 - MOMENTUM)
        ahead = torch._foreach_lerp(gradients, momenta, MOMENTUM)
        torch._foreach_mul_(weights, 1 - rate * decay)
        moves = orthogonal([matrix.flatten(1) for matrix in ahead])
        for weight, move in zip(weights, moves, strict=True):
            weight.add_(move.reshape(weight.shape), alpha=-rate * 0.2 * math.sqrt(max(move.shape)))


def orthogonal(matrices: Sequence[Tensor]) -> list[Tensor]:
    """Matrices ``(m, n)`` with equal ``min(m, n)``, singular values moved to about 0.7 to 1.2, in float32.

    X <- (A + B G + C GG) X with G = XX', repeated a few times. All factors are polynomials of the first G and
    commute, so they are multiplied first: kernels make matrices up to 27 times as wide as high, and of ten
    products with them only two remain. TF32 is too imprecise: rounding makes eigenvalues of G negative, and
    those grow.
    """
    wide = [_normal((x.T if _tall(x) else x).float()) for x in matrices]
    polynomials = _polynomials(torch.stack([x @ x.T for x in wide]))
    moved = (polynomial @ x for polynomial, x in zip(polynomials, wide, strict=True))
    return [x.T if _tall(matrix) else x for x, matrix in zip(moved, matrices, strict=True)]


def _tall(matrix: Tensor) -> bool:
    return matrix.shape[0] > matrix.shape[1]


def _normal(x: Tensor) -> Tensor:
    return hardshrink(x / (x.norm() + NEAR_NOTHING), NOTHING)


def _polynomials(gram: Tensor) -> Tensor:
    """The polynomials ``(k, m, m)`` of ``gram = XX'`` by which each X is multiplied."""
    polynomial = factor = _factor(gram)
    for _ in range(STEPS - 1):
        gram = factor @ gram @ factor
        factor = _factor(gram)
        polynomial = factor @ polynomial
    return polynomial


def _factor(gram: Tensor) -> Tensor:
    factor = torch.baddbmm(gram, gram, gram, beta=B, alpha=C)
    factor.diagonal(dim1=-2, dim2=-1).add_(A)
    return factor
