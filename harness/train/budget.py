"""The budget of a training: its steps, how many of them are coarse, and its progress after each step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.contract.protocol import RunProtocol

COARSE = 2
"""The factor by which coarse epochs reduce the resolution; a coarse step is about a quarter of the work."""


def coarse_epochs(protocol: RunProtocol) -> int:
    """The number of coarse epochs of a run; never all epochs."""
    return min(round(protocol.coarse * protocol.epochs), protocol.epochs - 1)


@dataclass(frozen=True)
class Budget:
    """`epochs` of `steps` steps each, of which the first `coarse_epochs` train at half resolution."""

    epochs: int
    steps: int
    coarse_epochs: int = 0

    @classmethod
    def of(cls, protocol: RunProtocol, steps: int) -> Budget:
        """The budget of a run's protocol."""
        return cls(protocol.epochs, steps, coarse_epochs(protocol))

    def work(self, step: int) -> float:
        """The work of the first `step` steps, in units of a step at full resolution."""
        coarse = min(step, self.coarse_epochs * self.steps)
        return coarse / COARSE**2 + (step - coarse)

    @property
    def all_work(self) -> float:
        """The work of all steps, in units of a step at full resolution."""
        return self.work(self.epochs * self.steps)

    def patch(self, patch: Sequence[int] | None, epoch: int) -> tuple[int, int] | None:
        """The patch size (y, x) of an epoch, from `patch` at full resolution; None for the whole crop."""
        if patch is None:
            return None
        factor = COARSE if epoch < self.coarse_epochs else 1
        return patch[0] // factor, patch[1] // factor

    def shares(self, step: int) -> dict[str, float]:
        """Shares of all work: left after `step` (from 0), and timed so far (without the first step)."""
        done = self.work(step + 1)
        return {
            "work_timed": (done - self.work(1)) / self.all_work,
            "work_left": 1 - done / self.all_work,
        }
