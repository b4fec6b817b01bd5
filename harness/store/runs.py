"""The folder of runs, and the files of a run.

```
runs/<run id>/spec.json        what to do, fully resolved (written by the planner)
              local.json       paths on this machine; they are in no key and in no record
              .lease.NNNNNN    which process works on the run (see lease.py)
              submitted.json   the executor of the last submission, and the handle of the job
              cancelled        exists if the run was cancelled and not requested again
              progress.json    heartbeat: phase, epoch, loss, attempts
              checkpoint*.pt   the last two checkpoints, while training
              weights.pt       the final weights
              predictions/     label maps, if the protocol keeps them
              cases.jsonl      scores
              record.json      written last: if it exists, the run has ended
              record-before.json  the record of the previous attempt, if it has one
              log.txt          tracebacks and warnings
runs/.cache/                   prepared data, manifests, an index of records; may be deleted at any time
runs/.data/                    generated datasets
```
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

from harness.contract.local import LocalPaths
from harness.contract.protocol import RunProtocol
from harness.contract.spec import RunSpec
from harness.errors import HarnessError
from harness.store.atomic import read_json, storage_errors, write_json, write_text
from harness.store.lease import TTL_S, Busy, Held, Holder, Lease
from harness.store.record import Record, case_lines, load_run

__all__ = ["Busy", "RunFolder", "RunsFolder"]


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @property
    def id(self) -> str:
        """The run's id: the folder's name."""
        return self.path.name

    @property
    def log(self) -> Path:
        """Tracebacks and warnings of the run's attempts."""
        return self.path / "log.txt"

    @property
    def weights(self) -> Path:
        """The final weights."""
        return self.path / "weights.pt"

    @property
    def predictions(self) -> Path:
        """Kept label maps."""
        return self.path / "predictions"

    def spec(self) -> RunSpec:
        """The specification of the run."""
        return RunSpec.from_json(read_json(self.path / "spec.json"), self.id)

    def local(self) -> LocalPaths:
        """The paths of the run on this machine."""
        return LocalPaths.from_json(read_json(self.path / "local.json"), self.id)

    def plan(self, spec: RunSpec, local: LocalPaths | None = None) -> None:
        """Write the specification, and the paths if given, unless the files already have this content."""
        for name, part in (("spec.json", spec), ("local.json", local)):
            path = self.path / name
            if part is not None and (not path.exists() or _differs(path, part.as_json())):
                write_json(path, part.as_json())

    def record(self, *, scores: bool = True) -> Record | None:
        """The record, None while there is none; with its cases if `scores`."""
        return load_run(self.path, scores=scores)

    def stamp(self) -> int | None:
        """A number that changes whenever the record is written; None while there is none."""
        try:
            return (self.path / "record.json").stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def answers(self, spec: RunSpec, record: Record | None = None) -> bool:
        """True if the record is the result that `spec` asks for: done, with its keys and kept predictions.

        `record` is the run's record, if it has been read already.
        """
        record = self.record() if record is None else record
        if record is None or record.status != "done" or record.keys != spec.keys:
            return False
        keeps = isinstance(spec.scoring, RunProtocol) and spec.scoring.keep_predictions
        return not keeps or self.predictions.is_dir()

    def finish(self, record: Record) -> None:
        """Write the scores, then the record, which ends the run."""
        write_text(self.path / "cases.jsonl", case_lines(record.cases))
        write_json(self.path / "record.json", record.header())

    def reopen(self) -> None:
        """Start another attempt: the record of the previous one becomes `earlier`."""
        with storage_errors(self.path), contextlib.suppress(FileNotFoundError):
            (self.path / "record.json").rename(self.path / "record-before.json")

    def earlier(self) -> Record | None:
        """The record of the previous attempt, without scores; None if there is none that can be read."""
        try:
            return Record.from_json(read_json(self.path / "record-before.json"), ())
        except (HarnessError, ValueError, TypeError, KeyError):
            return None

    def progress(self) -> dict[str, Any]:
        """The last heartbeat; empty before the first."""
        try:
            return read_json(self.path / "progress.json")
        except HarnessError:
            return {}

    def beat(self, figures: dict[str, Any]) -> None:
        """Write a heartbeat, without flushing it to disk: the next one follows soon."""
        write_json(self.path / "progress.json", figures, durable=False)

    def heard(self) -> float | None:
        """When the last heartbeat was written, in seconds since the epoch; None before the first."""
        try:
            return (self.path / "progress.json").stat().st_mtime
        except FileNotFoundError:
            return None

    def has_checkpoint(self) -> bool:
        """True if training can continue from a checkpoint."""
        return any((self.path / name).exists() for name in ("checkpoint.pt", "checkpoint-previous.pt"))

    @contextlib.contextmanager
    def locked(self) -> Iterator[Held]:
        """Hold the run; Busy at once if a live process holds it."""
        with Lease(self.path).held() as held:
            yield held

    def holder(self) -> Holder | None:
        """The process that holds the run; None if there is none."""
        return Lease(self.path).holder()

    def busy(self) -> bool:
        """True while a process works on the run."""
        return self.holder() is not None

    def submitted(self) -> dict[str, Any] | None:
        """The last submission ``{executor, handle, at, leaves}``; None if there is none."""
        try:
            return read_json(self.path / "submitted.json")
        except HarnessError:
            return None

    def submit(self, executor: str, handle: str, at: float, *, leaves: bool) -> None:
        """Note a submission at `at`, in seconds since the epoch; with `leaves`, the executor has a queue."""
        submission = {"executor": executor, "handle": handle, "at": at, "leaves": leaves}
        write_json(self.path / "submitted.json", submission)

    def cancel(self) -> None:
        """Make the process that holds the run stop, on any machine."""
        write_text(self.path / "cancelled", "")

    def cancelled(self) -> bool:
        """True if the run was cancelled and not requested again."""
        return (self.path / "cancelled").exists()

    def want(self) -> None:
        """Lift a cancellation, because the run is requested again."""
        with storage_errors(self.path):
            (self.path / "cancelled").unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove temporary files of killed processes; only for the process that holds the run.

        Young ones may belong to a process that is writing a submission or a cancellation.
        """
        for left in self.path.glob(".*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > TTL_S:
                    left.unlink()


@dataclass(frozen=True)
class RunsFolder:
    """All runs of a project."""

    path: Path

    def run(self, run_id: str) -> RunFolder:
        """The folder of one run, which need not exist."""
        return RunFolder(self.path / run_id)

    def all(self) -> list[RunFolder]:
        """Every run that has a spec, sorted by id."""
        if not self.path.is_dir():
            return []
        return sorted(
            (RunFolder(spec.parent) for spec in self.path.glob("*/spec.json")), key=lambda run: run.id
        )

    def note(self, leaderboard: str, run_ids: Iterable[str]) -> None:
        """Note that runs belong to a leaderboard; a specification names only the first of several."""
        path = self._noted / f"{leaderboard}.json"
        noted = sorted({*run_ids, *_ids(path)})
        if noted != _ids(path):
            write_json(path, {"runs": noted})

    def noted(self, leaderboard: str) -> frozenset[str]:
        """The ids of all runs that were noted as a leaderboard's, those with ``--set`` included."""
        files = (self._noted / f"{leaderboard}.json", *self._noted.glob(f"{escape(leaderboard)}@*.json"))
        return frozenset(run_id for file in files for run_id in _ids(file))

    @property
    def _noted(self) -> Path:
        return self.cache / "leaderboards"

    @property
    def cache(self) -> Path:
        """The folder of files that can be deleted and made again."""
        return self.path / ".cache"

    @property
    def index(self) -> Path:
        """The index of all records, in one file."""
        return self.cache / "records.index"

    def generated(self, dataset: str) -> Path:
        """The folder of a generated dataset."""
        return self.path / ".data" / dataset


def _ids(path: Path) -> list[str]:
    try:
        return list(read_json(path)["runs"])
    except (HarnessError, KeyError, TypeError):
        return []


def _differs(path: Path, value: dict[str, Any]) -> bool:
    try:
        return read_json(path) != value
    except HarnessError:
        return True
