"""A latency benchmark: several networks take turns, so that a drift of the machine affects all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from harness.data.case import Volume
from harness.errors import ConfigError
from harness.measure.clocks import Phases
from harness.measure.compute import Compute
from harness.pipeline.training_stage import TrainingStage
from harness.predict.predictor import Predictor
from harness.store.runs import RunFolder


def trained(folder: RunFolder) -> Predictor:
    """The predictor of a finished run; ConfigError if its weights are on another machine."""
    spec = folder.spec()
    compute = Compute.choose(spec.protocol.precision, deterministic=spec.protocol.deterministic)
    network = TrainingStage(folder, spec, compute, Phases(), folder.path).load()
    if network is None:
        raise ConfigError("its weights are not on this machine", where=folder.id, remedy="Run it here.")
    network.model.eval()
    return Predictor(network.model, network.task, spec.protocol, compute)


def interleave(
    predictors: Mapping[str, Predictor],
    volumes: Sequence[Volume],
    rounds: int,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, list[float]]:
    """Seconds of each prediction by name: `rounds` times over `volumes`, after a warm-up of each network.

    The order changes from turn to turn, because each network finds the caches as the previous one left them.
    """
    names = list(predictors)
    # On a GPU, which chooses algorithms by shape, the first prediction of each shape takes longer.
    shapes = {volume.image.shape: volume for volume in reversed(volumes)}
    for predictor in predictors.values():
        for volume in shapes.values():
            predictor(volume)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    turns = [volume for _ in range(rounds) for volume in volumes]
    for turn, volume in enumerate(turns):
        for k in range(len(names)):
            name = names[(turn + k) % len(names)]
            predictor = predictors[name]
            predictor.compute.synchronise()
            start = time.perf_counter()
            predictor(volume)
            predictor.compute.synchronise()
            seconds[name].append(time.perf_counter() - start)
        advance(turn + 1, len(turns))
    return seconds
