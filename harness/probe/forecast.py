"""What the runs of a plan will need: a preflight of each entry in a process of its own, and arithmetic."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from harness.contract.trial import FailedTrial, Footprint, Trial, answer_from_json
from harness.data.manifest import Manifest
from harness.execute.local import worker_environment
from harness.pipeline.evaluation_stage import TIMED
from harness.plan.plan import PlannedRun
from harness.store.state import Action
from harness.train.budget import COARSE, Budget


@dataclass(frozen=True)
class Forecast:
    """MiB that a run needs in training (of the GPU where there is one), and seconds; or why it fails."""

    memory_mib: float | None
    seconds: float | None
    failure: str | None = None


def forecast(
    runs: list[PlannedRun],
    manifests: Mapping[str, Manifest],
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Forecast]:
    """By run id, for the runs that are to be run; each entry is tried once, seeds and folds share it.

    `manifests` are by the dataset's label. Nothing is read of the data and nothing is written.
    """
    wanted = [run for run in runs if run.action not in (Action.NOTHING, Action.WAIT)]
    tried: dict[str, Footprint | FailedTrial] = {}
    found = {}
    for number, run in enumerate(wanted, 1):
        manifest = manifests[run.entry.dataset.label]
        name = f"{run.entry.label} @ {run.entry.dataset.label}"
        if name not in tried:
            tried[name] = _ask(run, manifest)
        found[run.id] = _of(run, manifest, tried[name])
        advance(number, len(wanted))
    return found


def _ask(run: PlannedRun, manifest: Manifest) -> Footprint | FailedTrial:
    deepest = max(case.shape[0] for case in manifest.cases)
    trial = Trial(run.spec, manifest.cases[0].channels, deepest, run.local.plugin_files)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "harness", "preflight"],
        input=json.dumps(trial.as_json()),
        capture_output=True,
        text=True,
        env=worker_environment(),
        check=False,
    )
    try:
        return answer_from_json(json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, IndexError):
        ended = f"ended with code {done.returncode}"
        return FailedTrial(f"the trial {ended}; the system may have run out of memory")


def _of(run: PlannedRun, manifest: Manifest, answer: Footprint | FailedTrial) -> Forecast:
    if isinstance(answer, FailedTrial):
        return Forecast(None, None, answer.failure)
    protocol, parts = run.spec.protocol, run.spec.parts
    train, validation, test = (
        [case.shape[0] for case in manifest.cases if case.patient in patients]
        for patients in (set(parts.train), set(parts.validation), set(parts.test))
    )
    samples = sum(train) if run.spec.model.dims == 2 else len(train)
    steps = max(1, samples // protocol.batch)
    if protocol.limit is not None:
        steps = min(steps, protocol.limit)
    looks = -(-protocol.epochs // protocol.validate_every)
    held_out, tested = len(validation[: protocol.limit]), len(test[: protocol.limit])
    # Some test cases are predicted again, for latency; all are taken to be as deep as the deepest.
    predictions = looks * held_out + tested + min(tested, TIMED)
    budget = Budget.of(protocol, steps)
    fine = (budget.epochs - budget.coarse_epochs) * answer.step_s
    coarse = budget.coarse_epochs * answer.coarse_step_s
    seconds = (fine + coarse) * steps + predictions * answer.predict_s
    memory = answer.gpu_train_mib if answer.gpu_train_mib is not None else answer.host_mib
    # The prepared cases lie beside the network: float32 channels and one byte of label a pixel.
    height, width = protocol.crop
    pixels: float = sum(train + validation) * height * width
    if budget.coarse_epochs:
        pixels += sum(train) * height * width / COARSE**2
    memory += pixels * (4 * manifest.cases[0].channels + 1) / 2**20
    return Forecast(memory, seconds)
