"""Muon: momentum whose matrices are made orthogonal before they are taken as steps.

torch's own is for matrices alone, without convolutions, and orthogonalises in bf16, which takes a CPU
without such instructions longer than a training step.
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
"""What is added to norms: a matrix far smaller is not blown up to a step of full length."""
NOTHING = 1e-9
"""Share of a matrix's norm (with the above) below which entries count as 0. Momenta of filters that died fade
for ever, and products of theirs too small to be normal numbers took a CPU 30 to 50 times as long."""


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
            # On a GPU it is the launches that take time; weights of one height (or lesser width) share them.
            of_height: dict[int, list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    of_height[min(weight.shape[0], weight.shape[1:].numel())].append((weight, weight.grad))
            for moving in of_height.values():
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
    """Matrices ``(m, n)`` of one ``min(m, n)``, their singular values moved to about 0.7 to 1.2, in float32.

    X <- (A + B G + C GG) X with G = XX', a few times over. All factors are polynomials of the first G and
    commute, so they are multiplied first: kernels make matrices up to 27 times as wide as high, and
    of ten products with them two are left. TF32 or less is too coarse for it: rounding makes eigenvalues of G
    negative, and those grow.
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
    """What each X of ``gram = XX'``, ``(k, m, m)``, is multiplied by."""
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
