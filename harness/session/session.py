"""The Python API of a project: a method for each command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from harness.errors import Blame
from harness.session.workspace import Workspace, listed

# Methods import their modules when they are called, so that a session opens at once and only training and
# prediction load torch.
if TYPE_CHECKING:
    from harness.plan.matrix import Selection
    from harness.session.cancelling import CancelOutcome
    from harness.session.comparison import EntryComparison
    from harness.session.data_audit import DataAudit
    from harness.session.events import Listener
    from harness.session.external_predictions import ScoredPredictions
    from harness.session.latency import Latencies
    from harness.session.leaderboard import Leaderboard
    from harness.session.open_leaderboard import OpenLeaderboard
    from harness.session.planning import PlannedLeaderboard
    from harness.session.report import WrittenReport
    from harness.session.rescoring import RescoreOutcome
    from harness.session.running import RunOptions, RunsOutcome, Wanted
    from harness.store.merge import Merged
    from harness.store.status import Status

PathLike = str | Path
Engine = Literal["fast", "medpy"]


class Session:
    """A project: its harness.toml, its plugins, and its folder of runs.

    `config` is a harness.toml; by default the nearest one in the current folder or above. `data` has the
    folders of datasets (``{"acdc": "~/ACDC"}``), `runs` is the folder of runs (default: ``runs/`` beside
    harness.toml), `plugin_files` are Python files with plugins. `overrides` change values of every
    leaderboard that the session opens (``["protocol.epochs=2"]``); a leaderboard that they change has a
    separate name.

    Plugins are loaded once per session; each call reads harness.toml and runs again. A method raises
    HarnessError, whose text says what is wrong and what to do, if the command would end with exit code 2.
    On KeyboardInterrupt, workers are stopped first; their checkpoints stay.
    """

    def __init__(
        self,
        config: PathLike | None = None,
        *,
        data: Mapping[str, PathLike] | None = None,
        runs: PathLike | None = None,
        plugin_files: Sequence[PathLike] = (),
        overrides: Sequence[str] = (),
    ) -> None:
        self.workspace = Workspace(
            _path(config),
            {name: Path(path) for name, path in (data or {}).items()},
            _path(runs),
            tuple(Path(file).expanduser() for file in plugin_files),
            listed("overrides", overrides),
        )

    def __repr__(self) -> str:
        return f"Session({str(self.workspace.file)!r})"

    @property
    def leaderboards(self) -> tuple[str, ...]:
        """The names of the leaderboards in harness.toml."""
        return tuple(self.workspace.project.settings.leaderboard)

    def plan(
        self,
        leaderboard: str,
        *,
        models: Sequence[str] = (),
        losses: Sequence[str] = (),
        datasets: Sequence[str] = (),
        overrides: Sequence[str] = (),
        preflight: bool = False,
        on_event: Listener | None = None,
    ) -> PlannedLeaderboard:
        """The runs that a leaderboard needs, each with its state and the reason for it.

        `models`, `losses` and `datasets` select entries by name, glob or ``name[key=value]``; those that the
        leaderboard does not list are added. With `preflight`, each entry is tried for a few steps to forecast
        its memory and time. `on_event` is called with progress.
        """
        from harness.session.events import ignore
        from harness.session.planning import plan_leaderboard

        opened = self._open(leaderboard, _selection(models, losses, datasets), overrides)
        return plan_leaderboard(opened, on_event or ignore, preflight=preflight)

    def run(
        self,
        leaderboard: str,
        *,
        models: Sequence[str] = (),
        losses: Sequence[str] = (),
        datasets: Sequence[str] = (),
        overrides: Sequence[str] = (),
        limit: int | None = None,
        executor: str = "local",
        jobs: int | None = None,
        address: str | None = None,
        timeout_s: float | None = None,
        observers: Mapping[str, str] | None = None,
        detach: bool = False,
        debug: bool = False,
        on_event: Listener | None = None,
        progress_s: float = 5.0,
    ) -> RunsOutcome:
        """Train and evaluate entries that are not done, then rank all. Selection as in `plan`.

        `limit` makes a quick trial: one epoch of `limit` batches, `limit` test cases, one seed and fold.
        `executor` is the executor of runs (``local``, ``inline``, ``slurm[partition=gpu]``), `jobs` their
        number at once, `address` that of a cluster. A run is stopped after `timeout_s` seconds. `observers`
        are places to report to (``{"tensorboard": "logs"}``). With `detach`, runs are submitted to a cluster
        and left. With `debug`, runs are executed in this process, and the debugger opens where a plugin's
        code fails. `on_event` is called with typed events (``on_event=print`` shows them), with progress
        within an epoch at most every `progress_s` seconds. An exception that it raises stops the workers,
        as KeyboardInterrupt does.

        A run that fails is in the outcome, not an exception.
        """
        from harness.session.running import RunOptions

        options = RunOptions(executor, jobs, address, timeout_s, observers or {}, detach, debug, progress_s)
        selection = _selection(models, losses, datasets)
        return self._run(leaderboard, selection, overrides, limit, options, on_event, None)

    def retry(
        self,
        leaderboard: str,
        *,
        blame: Sequence[Blame] = (),
        models: Sequence[str] = (),
        losses: Sequence[str] = (),
        datasets: Sequence[str] = (),
        overrides: Sequence[str] = (),
        limit: int | None = None,
        executor: str = "local",
        jobs: int | None = None,
        address: str | None = None,
        timeout_s: float | None = None,
        observers: Mapping[str, str] | None = None,
        detach: bool = False,
        debug: bool = False,
        on_event: Listener | None = None,
        progress_s: float = 5.0,
    ) -> RunsOutcome:
        """Run failed runs again, and nothing else; with `blame`, only failures with such a blame.

        `blame` may hold plugin, data, resource and harness; other arguments are as in `run`.
        """
        from harness.session.running import RunOptions, failed_before

        options = RunOptions(executor, jobs, address, timeout_s, observers or {}, detach, debug, progress_s)
        selection = _selection(models, losses, datasets)
        return self._run(
            leaderboard, selection, overrides, limit, options, on_event, failed_before(listed("blame", blame))
        )

    def leaderboard(
        self,
        leaderboard: str,
        *,
        models: Sequence[str] = (),
        losses: Sequence[str] = (),
        datasets: Sequence[str] = (),
        overrides: Sequence[str] = (),
    ) -> Leaderboard:
        """Rank the records of a leaderboard, write its folder, and return it; needs neither data nor a GPU.

        A selection limits what is shown; ranks are always among all entries. Plugins that the leaderboard
        lists may be missing. ConfigError if there are no records.
        """
        from harness.session.rebuild import rebuild

        selection = _selection(models, losses, datasets)
        return rebuild(self._open(leaderboard, selection, overrides, absent=True))

    def compare(
        self,
        a: str,
        b: str,
        *,
        leaderboard: str | None = None,
        metrics: Sequence[str] | None = None,
        margins: Mapping[str, float] | None = None,
    ) -> EntryComparison:
        """Entry `b` against entry `a`, paired by patient, with a verdict.

        Entries are named ``[SOURCE::]MODEL+LOSS[@DATASET]``; SOURCE is a leaderboard, a folder of records or
        runs, or ``git:REVISION``. Those without a source are from `leaderboard`, by default the first one
        with all of them. `metrics` limits and orders the metrics. `margins` are the differences, by metric
        and in its unit, up to which two entries count as equivalent.
        """
        compared = self.compare_with(a, [b], leaderboard=leaderboard, metrics=metrics, margins=margins)
        return compared[0]

    def compare_with(
        self,
        first: str,
        others: Sequence[str],
        *,
        leaderboard: str | None = None,
        metrics: Sequence[str] | None = None,
        margins: Mapping[str, float] | None = None,
    ) -> tuple[EntryComparison, ...]:
        """Compare each of `others` with `first`; arguments as in `compare`."""
        from harness.session.comparison import compare_entries
        from harness.session.sources import find_anywhere

        reference, *entries = find_anywhere(self.workspace, [first, *others], leaderboard, where="compare")
        return tuple(compare_entries(reference, entry, metrics=metrics, margins=margins) for entry in entries)

    def report(
        self,
        leaderboard: str,
        output: PathLike | None = None,
        *,
        plots: PathLike | None = None,
        embed_images: bool = False,
        models: Sequence[str] = (),
        losses: Sequence[str] = (),
        datasets: Sequence[str] = (),
        overrides: Sequence[str] = (),
    ) -> WrittenReport:
        """Write a leaderboard as one HTML file (default: report.html in its folder).

        With a folder `plots`, every plot is also written there as SVG and PNG. With `embed_images`, the page
        includes images of datasets whose licence is not known to allow redistribution, for your own use.
        Needs the extra ``report``; ConfigError if it is not installed.
        """
        from harness.session.report import write_report

        opened = self._open(leaderboard, _selection(models, losses, datasets), overrides, absent=True)
        return write_report(opened, _path(output), _path(plots), embed_images=embed_images)

    def score_predictions(
        self,
        predictions: PathLike,
        *,
        dataset: str,
        name: str,
        leaderboard: str | None = None,
        labels: Mapping[str, int] | None = None,
        engine: Engine = "fast",
        overrides: Sequence[str] = (),
        on_event: Listener | None = None,
    ) -> ScoredPredictions:
        """Score NIfTI label maps of another tool, and rank them as an entry called `name`.

        `predictions` is a folder of files named after the cases of `dataset`; a test case without a file
        counts as an empty prediction. `leaderboard` is by default the only one with the dataset.
        `labels` are the label values in the files, by structure (default: the dataset's). DataError if
        no file matches a case.
        """
        from harness.session.events import ignore
        from harness.session.external_predictions import leaderboard_of, score_external

        board = leaderboard or leaderboard_of(self.workspace, dataset)
        return score_external(
            self._open(board, None, overrides),
            Path(predictions).expanduser(),
            dataset=dataset,
            name=name,
            labels=labels,
            engine=engine,
            on_event=on_event or ignore,
        )

    def rescore(
        self,
        leaderboard: str,
        *,
        models: Sequence[str] = (),
        losses: Sequence[str] = (),
        datasets: Sequence[str] = (),
        overrides: Sequence[str] = (),
        engine: Engine = "fast",
        on_event: Listener | None = None,
    ) -> RescoreOutcome:
        """Score saved predictions again after a change of metrics, without training or a GPU."""
        from harness.session.events import ignore
        from harness.session.rescoring import rescore_leaderboard

        opened = self._open(leaderboard, _selection(models, losses, datasets), overrides)
        return rescore_leaderboard(opened, engine, on_event or ignore)

    def status(self, leaderboard: str | None = None, *, runs: Sequence[str] = ()) -> tuple[Status, ...]:
        """The state of every run, from the folder of runs alone.

        `leaderboard` selects its runs, also those made with overrides; `runs` are globs of ids or entries.
        """
        from harness.session.selected_runs import statuses

        return tuple(statuses(self.workspace.existing_runs, leaderboard, listed("runs", runs)))

    def cancel(self, leaderboard: str | None = None, *, runs: Sequence[str] = ()) -> CancelOutcome:
        """Stop runs that are running or queued, on any machine; selection as in `status`, one is needed.

        Waits up to half a minute. Checkpoints stay, and `run` continues from them.
        """
        from harness.session.cancelling import cancel_runs

        return cancel_runs(self.workspace, leaderboard, listed("runs", runs))

    def merge(self, *sources: PathLike, weights: bool = False) -> Merged:
        """Copy finished runs of other machines into this folder of runs.

        A source is a folder of runs, a project, or a leaderboard's folder with ``records.jsonl``. With
        `weights`, weights are copied too. Runs that are here with other scores are named, and left.
        """
        from harness.store.merge import merge

        return merge([Path(source).expanduser() for source in sources], self.workspace.runs, weights=weights)

    def check_data(self, dataset: str, *, on_event: Listener | None = None) -> DataAudit:
        """Read every case of a dataset (``name`` or ``name[key=value]``) and report what is odd about it."""
        from harness.session.data_audit import audit_dataset
        from harness.session.events import ignore

        return audit_dataset(self.workspace, dataset, on_event or ignore)

    def time(
        self,
        *entries: str,
        leaderboard: str | None = None,
        volumes: int = 10,
        rounds: int = 5,
        on_event: Listener | None = None,
    ) -> Latencies:
        """Time the prediction of `volumes` test volumes by finished entries, `rounds` times in turns.

        Entries are named ``MODEL+LOSS`` and are all from one leaderboard, by default the first that has
        them. Their weights must be on this machine; ConfigError otherwise.
        """
        from harness.session.events import ignore
        from harness.session.latency import time_entries

        return time_entries(
            self.workspace, entries, leaderboard, volumes=volumes, rounds=rounds, on_event=on_event or ignore
        )

    def _open(
        self,
        leaderboard: str,
        selection: Selection | None,
        overrides: Sequence[str],
        *,
        absent: bool = False,
    ) -> OpenLeaderboard:
        from harness.session.open_leaderboard import open_leaderboard

        return open_leaderboard(self.workspace, leaderboard, selection, overrides=overrides, absent=absent)

    def _run(
        self,
        leaderboard: str,
        selection: Selection,
        overrides: Sequence[str],
        limit: int | None,
        options: RunOptions,
        on_event: Listener | None,
        wanted: Wanted | None,
    ) -> RunsOutcome:
        from harness.session.events import ignore
        from harness.session.running import run_leaderboard, trial_overrides

        if limit is not None:
            overrides = trial_overrides(self.workspace, leaderboard, limit, overrides)
        opened = self._open(leaderboard, selection, overrides)
        return run_leaderboard(opened, options, on_event or ignore, wanted)


def _selection(models: Sequence[str], losses: Sequence[str], datasets: Sequence[str]) -> Selection:
    from harness.plan.matrix import Selection

    return Selection(listed("models", models), listed("losses", losses), listed("datasets", datasets))


def _path(path: PathLike | None) -> Path | None:
    return None if path is None else Path(path).expanduser()
