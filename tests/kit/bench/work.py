"""What the contestants work on: a protocol of harness.toml, a network, and made-up hearts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import hearts
import numpy as np
from made_specs import run_spec
from numpy.typing import NDArray

from harness.config.load import load
from harness.contract.protocol import RunProtocol
from harness.contract.spec import RunSpec
from harness.data.prepare import Prepared

ROOT = Path(__file__).parents[3]
BRIGHT = np.array([-0.4, 1.2, 0.1, 1.8], np.float32)
"""Background, RV, myocardium, LV, in standard deviations."""


@dataclass(frozen=True)
class Work:
    """A network under a protocol of harness.toml; `steps` batches are an epoch."""

    model: str
    protocol: str
    steps: int
    peer: bool = False

    @property
    def dims(self) -> int:
        return 3 if "3d" in self.model else 2

    @property
    def title(self) -> str:
        """Network and batch, as tables show them."""
        protocol = self.settings()
        shape = (protocol.batch, *([protocol.depth] if self.dims == 3 else []), *protocol.crop)
        return f"{self.model}, {' × '.join(map(str, shape))}"

    def settings(self) -> RunProtocol:
        """The protocol, for networks of these dimensions, with an end that is never reached.

        Loops are compared with the optimiser that all of them have, on samples of one size.
        """
        resolved = load(ROOT / "harness.toml").leaderboard(self.protocol)[1].resolved(self.dims)
        endless = replace(resolved, epochs=10**6, validate_every=10**6, limit=None)
        return replace(endless, coarse=0.0, optimiser="adamw")

    def spec(self) -> RunSpec:
        """A run under that protocol, on made-up hearts."""
        from harness.plan.choice import parse

        name, params = parse(self.model)
        target = f"bench.nets:{name.replace('-', '_')}" if self.peer else f"harness_unet.unet:{name}"
        spec = run_spec(
            self.model,
            "log-dice-ce",
            "made-up",
            dims=self.dims,
            structures=hearts.STRUCTURES,
            keys={"train": "bench"},
            scoring=self.settings(),
        )
        return replace(
            spec,
            model=replace(spec.model, target=target, params=params),
            loss=replace(spec.loss, target="harness_losses.losses:log_dice_ce"),
            dataset=replace(spec.dataset, target="hearts:heart"),
        )

    def prepared(self) -> Prepared:
        """As many cases as an epoch trains on, on the network's grid."""
        protocol = self.settings()
        depth = protocol.depth or 10
        samples = self.steps * protocol.batch
        return made_up(-(-samples // depth) if self.dims == 2 else samples, depth, protocol.crop, samples)


def made_up(cases: int, depth: int, crop: tuple[int, int], samples: int) -> Prepared:
    """Prepared hearts; as 2D samples no more than `samples` slices."""
    labels = np.concatenate([_heart(seed, (depth, *crop)) for seed in range(cases)])
    depths = [depth] * cases
    if samples < len(labels) and cases * depth - samples < depth:
        labels, depths[-1] = labels[:samples], depth - (cases * depth - samples)
    noise = np.random.default_rng(0).normal(0, 0.3, labels.shape).astype(np.float32)
    images = (BRIGHT[labels] + noise)[:, None]
    starts = np.cumsum([0, *depths[:-1]]).tolist()
    return Prepared(tuple(f"c{i:03}" for i in range(cases)), tuple(starts), tuple(depths), images, labels)


def _heart(seed: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    return hearts.heart(np.random.default_rng(seed), shape, (10.0, 2.0, 2.0))  # type: ignore[arg-type]
