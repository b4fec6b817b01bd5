"""The folder of runs: where each file of a run lies.

```
runs/<run id>/spec.json        what to do, fully resolved (written by the planner)
              local.json       where things lie on this machine; in no key and in no record
              .lease.NNNNNN    who works on the run (see lease.py)
              submitted.json   which executor was last asked to run it, and under what name it knows it
              cancelled        somebody wants it stopped; gone once it is asked for again
              progress.json    heartbeat: phase, epoch, loss, attempts
              checkpoint*.pt   the last two checkpoints, while training
              weights.pt       the final weights
              predictions/     label maps, when the protocol keeps them
              cases.jsonl      scores
              record.json      last: its presence means that the run has ended
              record-before.json  how the attempt before ended, if that was recorded
              log.txt          tracebacks and warnings
runs/.cache/                   prepared data, manifests, an index of records; may be deleted at any time
runs/.data/                    datasets that are generated
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
        """Write the specification, and the paths if there are any, unless the same stand there already."""
        for name, part in (("spec.json", spec), ("local.json", local)):
            path = self.path / name
            if part is not None and (not path.exists() or _differs(path, part.as_json())):
                write_json(path, part.as_json())

    def record(self, *, scores: bool = True) -> Record | None:
        """The record, None while there is none; with its cases if `scores`."""
        return load_run(self.path, scores=scores)

    def stamp(self) -> int | None:
        """Something that differs whenever the record was written anew; None while there is none."""
        try:
            return (self.path / "record.json").stat().st_mtime_ns
        except FileNotFoundError:
            return None

    def answers(self, spec: RunSpec, record: Record | None = None) -> bool:
        """True if the record is what `spec` asks for: done, under its keys, with what it wants kept.

        `record` is the run's, where it has been read already.
        """
        record = self.record() if record is None else record
        if record is None or record.status != "done" or record.keys != spec.keys:
            return False
        keeps = isinstance(spec.scoring, RunProtocol) and spec.scoring.keep_predictions
        return not keeps or self.predictions.is_dir()

    def finish(self, record: Record) -> None:
        """Write scores, then the record: the run has ended."""
        write_text(self.path / "cases.jsonl", case_lines(record.cases))
        write_json(self.path / "record.json", record.header())

    def reopen(self) -> None:
        """Take back the end of a run that is worked on again; how it had ended is kept as `earlier`."""
        with storage_errors(self.path), contextlib.suppress(FileNotFoundError):
            (self.path / "record.json").rename(self.path / "record-before.json")

    def earlier(self) -> Record | None:
        """How an attempt ended that another one followed, without scores; None where none is known."""
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
        """Write a heartbeat; the next one is due before a disk would have to have it."""
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
        """Hold the run; Busy at once if another process does. A dead holder has let go."""
        with Lease(self.path).held() as held:
            yield held

    def holder(self) -> Holder | None:
        """Who works on the run now."""
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
        """Note a submission at `at`, in seconds since the epoch, to an engine with a queue if `leaves`."""
        submission = {"executor": executor, "handle": handle, "at": at, "leaves": leaves}
        write_json(self.path / "submitted.json", submission)

    def cancel(self) -> None:
        """Ask whoever works on the run, here or elsewhere, to stop."""
        write_text(self.path / "cancelled", "")

    def cancelled(self) -> bool:
        """True if somebody asked for the run to stop."""
        return (self.path / "cancelled").exists()

    def want(self) -> None:
        """Take back a wish to stop: the run is asked for again."""
        with storage_errors(self.path):
            (self.path / "cancelled").unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what a killed process had half written; only for who holds the lock.

        What is young may be another process's, which writes a submission or a wish to stop.
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
        """The folder of one run, there or not."""
        return RunFolder(self.path / run_id)

    def all(self) -> list[RunFolder]:
        """Every run that has a spec, sorted by id."""
        if not self.path.is_dir():
            return []
        return sorted(
            (RunFolder(spec.parent) for spec in self.path.glob("*/spec.json")), key=lambda run: run.id
        )

    def note(self, leaderboard: str, run_ids: Iterable[str]) -> None:
        """That these runs are of a leaderboard too: their own specs name only the one that came first."""
        path = self._noted / f"{leaderboard}.json"
        wanted = sorted({*run_ids, *_ids(path)})
        if wanted != _ids(path):
            write_json(path, {"runs": wanted})

    def noted(self, leaderboard: str) -> frozenset[str]:
        """The ids of all runs that were noted as a leaderboard's, those with ``--set`` included."""
        files = (self._noted / f"{leaderboard}.json", *self._noted.glob(f"{escape(leaderboard)}@*.json"))
        return frozenset(run_id for file in files for run_id in _ids(file))

    @property
    def _noted(self) -> Path:
        return self.cache / "leaderboards"

    @property
    def cache(self) -> Path:
        """What can be made again."""
        return self.path / ".cache"

    @property
    def index(self) -> Path:
        """What the records say, in one file."""
        return self.cache / "records.index"

    def generated(self, dataset: str) -> Path:
        """Where a dataset without a configured root may write."""
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
