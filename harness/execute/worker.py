"""The worker: executes one run in one process, ``harness worker RUN_FOLDER``. Its output is its record."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.contract.local import LocalPaths
from harness.contract.spec import RunSpec
from harness.errors import BUSY, INTERRUPTED, OK, RUNS_FAILED
from harness.execute.failure import classify
from harness.execute.heartbeat import Heartbeat
from harness.execute.observers import Observers
from harness.execute.timeout import time_limit
from harness.measure.compute import Compute
from harness.measure.provenance import environment, hardware
from harness.pipeline.stages import RunPipeline, provenance
from harness.plugins.manager import load
from harness.store.lease import Busy
from harness.store.record import Record
from harness.store.runs import RunFolder

log = logging.getLogger("harness.worker")


Failed = Callable[[Exception, RunSpec], None]


def work(
    path: Path,
    parent: int | None = None,
    timeout_s: float | None = None,
    failed: Failed | None = None,
) -> int:
    """Execute the run in `path`; return the exit code.

    It stops if process `parent` is gone, if the run is cancelled, and after `timeout_s`.
    `failed(error, spec)` is called after the record of a failure was written, while the frames still exist.
    """
    folder = RunFolder(path)
    try:
        with _logging_to(folder.log), folder.locked() as held:
            return _attempt(folder, Heartbeat(folder, parent, held), timeout_s, failed)
    except Busy:
        return BUSY
    except KeyboardInterrupt:
        log.info("interrupted")
        return INTERRUPTED


@contextlib.contextmanager
def _logging_to(file: Path) -> Iterator[None]:
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
        handler.close()


def _attempt(folder: RunFolder, heartbeat: Heartbeat, timeout_s: float | None, failed: Failed | None) -> int:
    spec, local = folder.spec(), folder.local()
    if folder.answers(spec):
        return OK
    attempts = int(folder.progress().get("attempts", 0)) + 1
    log.info("attempt %d of %s", attempts, folder.id)
    folder.tidy()
    folder.reopen()
    started = datetime.now(UTC).isoformat(timespec="seconds")
    heartbeat.beat({"attempts": attempts, "phase": "start", "started": started}, now=True)
    observers: Observers | None = None
    caught: Exception | None = None
    run: RunPipeline | None = None
    try:
        with time_limit(timeout_s):
            registry = load([Path(file) for file in local.plugin_files])
            observers = Observers(registry, spec, local.observers, heartbeat)
            observers.run_started()
            run = RunPipeline(folder, spec, local, heartbeat, observers.epoch_ended)
            finished = run.execute(attempts)
    except Busy:
        raise
    except Exception as error:
        caught = error
        log.error("%s", "".join(traceback.format_exception(error)))
        finished = _failed(error, spec, local, folder, run.phase if run else "start", attempts)
    heartbeat.check()
    folder.finish(finished)
    heartbeat.beat({"phase": finished.status}, now=True)
    if observers is not None:
        observers.run_finished(finished)
    if caught is not None and failed is not None:
        failed(caught, spec)
    return OK if finished.status == "done" else RUNS_FAILED


def _failed(
    error: Exception,
    spec: RunSpec,
    local: LocalPaths,
    folder: RunFolder,
    phase: str,
    attempts: int,
) -> Record:
    """The record of a run that failed: why, and on what machine."""
    status, failure = classify(error, spec, phase)
    # The record may be published, so it must not contain paths of this machine.
    message = failure.message
    for place in (str(folder.path.parents[1]), local.root):
        message = message.replace(f"{place}/", "").replace(place, "the dataset")
    failure = replace(failure, message=message)
    about: dict[str, Any] = {}
    with contextlib.suppress(Exception):
        compute = Compute.choose(spec.protocol.precision, deterministic=spec.protocol.deterministic)
        about = {"environment": environment(compute), "hardware": hardware(compute)}
        about["plugins"] = provenance(spec)
    return Record(spec.run_id, spec.keys, spec, status, failure, attempts, **about)
