"""What a training may use: its steps, which of them are coarse ones, and how far it is after each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.contract.protocol import RunProtocol

COARSE = 2
"""Coarse pixels have so many times the side of others; a step on them is about a quarter of the work."""


def coarse_epochs(protocol: RunProtocol) -> int:
    """How many of a run's epochs are coarse; the last one never is."""
    return min(round(protocol.coarse * protocol.epochs), protocol.epochs - 1)


@dataclass(frozen=True)
class Budget:
    """`epochs` of `steps` each, of which the first `coarse_epochs` see pixels of twice the side."""

    epochs: int
    steps: int
    coarse_epochs: int = 0

    @classmethod
    def of(cls, protocol: RunProtocol, steps: int) -> Budget:
        """That of a resolved protocol."""
        return cls(protocol.epochs, steps, coarse_epochs(protocol))

    def work(self, step: int) -> float:
        """What the first `step` steps of all come to, in full-sized ones."""
        coarse = min(step, self.coarse_epochs * self.steps)
        return coarse / COARSE**2 + (step - coarse)

    @property
    def all_work(self) -> float:
        """What all steps come to, in full-sized ones."""
        return self.work(self.epochs * self.steps)

    def patch(self, patch: Sequence[int] | None, epoch: int) -> tuple[int, int] | None:
        """Pixels (y, x) of a sample of that epoch, from those of a full-sized one; None for all there are."""
        if patch is None:
            return None
        side = COARSE if epoch < self.coarse_epochs else 1
        return patch[0] // side, patch[1] // side

    def shares(self, step: int) -> dict[str, float]:
        """Of all work, what is left after that step (from 0), and what is timed: the first step isn't."""
        done = self.work(step + 1)
        return {
            "work_timed": (done - self.work(1)) / self.all_work,
            "work_left": 1 - done / self.all_work,
        }
