"""The forecast of a plan: memory and time of its runs, computed from a preflight of each entry."""

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
    """MiB that a run needs in training (on the GPU if there is one), and seconds; or why it fails."""

    memory_mib: float | None
    seconds: float | None
    failure: str | None = None


def forecast(
    runs: list[PlannedRun],
    manifests: Mapping[str, Manifest],
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Forecast]:
    """Forecasts by run id, for runs that need work; seeds and folds of an entry share one preflight.

    `manifests` are by the dataset's label. No data is read and nothing is written.
    """
    to_run = [run for run in runs if run.action not in (Action.NOTHING, Action.WAIT)]
    preflights: dict[str, Footprint | FailedTrial] = {}
    forecasts = {}
    for number, run in enumerate(to_run, 1):
        manifest = manifests[run.entry.dataset.label]
        name = f"{run.entry.label} @ {run.entry.dataset.label}"
        if name not in preflights:
            preflights[name] = _preflight(run, manifest)
        forecasts[run.id] = _forecast_of(run, manifest, preflights[name])
        advance(number, len(to_run))
    return forecasts


def _preflight(run: PlannedRun, manifest: Manifest) -> Footprint | FailedTrial:
    """The preflight of a run, in a new process."""
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
        ended = f"ended with exit code {done.returncode}"
        return FailedTrial(f"the preflight {ended}; the system may have run out of memory")


def _forecast_of(run: PlannedRun, manifest: Manifest, answer: Footprint | FailedTrial) -> Forecast:
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
    validations = -(-protocol.epochs // protocol.validate_every)
    validated, tested = len(validation[: protocol.limit]), len(test[: protocol.limit])
    # Some test cases are predicted again, for latency; all are assumed to be as deep as the deepest.
    predictions = validations * validated + tested + min(tested, TIMED)
    budget = Budget.of(protocol, steps)
    fine = (budget.epochs - budget.coarse_epochs) * answer.step_s
    coarse = budget.coarse_epochs * answer.coarse_step_s
    seconds = (fine + coarse) * steps + predictions * answer.predict_s
    memory = answer.gpu_train_mib if answer.gpu_train_mib is not None else answer.host_mib
    # The prepared cases take memory too: per pixel, float32 channels and one byte of label.
    height, width = protocol.crop
    pixels: float = sum(train + validation) * height * width
    if budget.coarse_epochs:
        pixels += sum(train) * height * width / COARSE**2
    memory += pixels * (4 * manifest.cases[0].channels + 1) / 2**20
    return Forecast(memory, seconds)
