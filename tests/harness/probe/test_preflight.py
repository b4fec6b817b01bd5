"""What a run will need: that all its kinds of step are tried, and the arithmetic from one step to all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from made_specs import run_protocol, run_spec
from tiny_training import CROSS_ENTROPY, NET, made_spec
from torch import Tensor

from harness.contract.spec import PartsSpec
from harness.contract.trial import Footprint
from harness.data.manifest import Manifest
from harness.plan.plan import PlannedRun
from harness.probe import forecast
from harness.probe.preflight import STEPS, preflight
from harness.train.stepper import Stepper


@pytest.mark.parametrize(
    ("dims", "coarse", "seen"),
    [
        (2, {}, [(8, 6)]),
        (2, {"coarse": 0.5}, [(4, 3), (8, 6)]),
        (2, {"coarse": 0.1}, [(8, 6)]),
        (3, {"coarse": 0.5}, [(2, 4, 3), (2, 8, 6)]),
    ],
)
def test_coarse_steps_are_tried_too(
    monkeypatch: pytest.MonkeyPatch, dims: int, coarse: dict[str, Any], seen: list[tuple[int, ...]]
) -> None:
    """A network that can't take their size fails before the run, not in it."""
    sizes: list[tuple[int, ...]] = []
    step = Stepper.__call__

    def watched(self: Stepper, images: Tensor, labels: Tensor, rate: float) -> Tensor:
        sizes.append(tuple(images.shape[2:]))
        assert labels.shape == (len(images), *images.shape[2:])
        return step(self, images, labels, rate)

    monkeypatch.setattr(Stepper, "__call__", watched)
    more = {"patch": (8, 6), "crop": (12, 12), "precision": "fp32", "deterministic": False}
    need = preflight(made_spec(NET, CROSS_ENTROPY, dims=dims, **more, **coarse), 1, 3)
    assert sizes == [size for size in seen for _ in range(1 + STEPS)]
    assert need.step_s > 0
    assert (need.coarse_step_s > 0) == (len(seen) == 2)


@pytest.mark.parametrize(
    ("coarse", "seconds", "pixels"),
    [
        # 23 slices in batches of 4: 5 steps an epoch.
        ({}, 10 * 5 * 8, 23),
        ({"coarse": 0.6}, 6 * 5 * 3 + 4 * 5 * 8, 23 * 1.25),
    ],
)
def test_time_and_memory_of_all_steps_from_those_of_one(
    coarse: dict[str, Any], seconds: float, pixels: float
) -> None:
    depths = {"a": 10, "b": 13, "c": 7}
    cases = [SimpleNamespace(patient=p, shape=(z, 20, 20), channels=1) for p, z in depths.items()]
    protocol = run_protocol(epochs=10, batch=4, crop=(16, 32), **coarse)
    run = SimpleNamespace(spec=run_spec(scoring=protocol, parts=PartsSpec(("a", "b"), (), ("c",))))
    answer = Footprint(8.0, 3.0, 0.5, gpu_train_mib=100.0, gpu_predict_mib=None, host_mib=0.0)
    found = forecast._forecast_of(cast(PlannedRun, run), cast(Manifest, SimpleNamespace(cases=cases)), answer)
    # The one test case is predicted, and again for latency.
    assert found.seconds == pytest.approx(seconds + 2 * 0.5)
    # Four bytes of image and one of label a pixel.
    assert found.memory_mib == pytest.approx(100 + pixels * 16 * 32 * 5 / 2**20)
