"""How a training goes from its first step to its last: which steps are cheap ones, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COARSE = 2
"""Coarse pixels have this many times the side of others, so that a step on them is a quarter of the work."""


@dataclass(frozen=True)
class Course:
    """`epochs` of `steps` each, of which the first `coarse` epochs see pixels of twice the size."""

    epochs: int
    steps: int
    coarse: int = 0

    @classmethod
    def of(cls, protocol: Mapping[str, Any], steps: int) -> Course:
        """That of a resolved protocol, which leaves `coarse` out where it is 0; the last epoch never is."""
        epochs: int = protocol["epochs"]
        return cls(epochs, steps, min(round(protocol.get("coarse", 0.0) * epochs), epochs - 1))

    def work(self, step: int) -> int:
        """What the first `step` steps of all come to, in coarse steps."""
        coarse = min(step, self.coarse * self.steps)
        return coarse + COARSE**2 * (step - coarse)

    @property
    def all_work(self) -> int:
        """What all steps come to, in coarse steps."""
        return self.work(self.epochs * self.steps)

    def patch(self, patch: Sequence[int] | None, epoch: int) -> tuple[int, int] | None:
        """Pixels (y, x) of a sample of that epoch; None for all there are."""
        if patch is None:
            return None
        side = COARSE if epoch < self.coarse else 1
        return patch[0] // side, patch[1] // side

    def shares(self, step: int) -> dict[str, float]:
        """Of all work, what is `left` after that step (from 0), and what is `timed`: the first step isn't."""
        done = self.work(step + 1)
        return {"timed": (done - self.work(1)) / self.all_work, "left": 1 - done / self.all_work}
