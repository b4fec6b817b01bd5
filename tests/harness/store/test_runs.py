"""Run folders: one worker at a time, and a dead one holds nothing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_specs import run_spec

from harness.contract.local import LocalPaths
from harness.store.runs import Busy, RunFolder, RunsFolder

HOLD = """
import sys, time
from pathlib import Path
from harness.store.runs import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_heartbeat_does_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice a second in the thread that trains: a busy disk would be in the times of steps."""
    folder = RunFolder(tmp_path)

    def slow(handle: int) -> None:
        raise AssertionError("waits for the disk")

    monkeypatch.setattr(os, "fsync", slow)
    folder.beat({"epoch": 1})
    assert folder.progress() == {"epoch": 1}
    with pytest.raises(AssertionError, match="waits"):
        folder.cancel()


def test_two_processes_never_hold_one_run_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert not folder.busy()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        assert folder.busy()
        with pytest.raises(Busy), folder.locked():
            pass
        other.kill()
        other.wait()
    assert not folder.busy()
    with folder.locked():
        pass


def test_planning_twice_changes_nothing_and_local_paths_stay_out_of_the_spec(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    spec = run_spec(run_id="r")
    folder.plan(spec, LocalPaths("/here", "/here/cache", "/here/manifest"))
    stamp = (folder.path / "spec.json").stat().st_mtime_ns
    moved = LocalPaths("/there", "/there/cache", "/there/manifest")
    folder.plan(spec, moved)
    assert (folder.path / "spec.json").stat().st_mtime_ns == stamp
    assert folder.local() == moved
    assert folder.spec() == spec


def test_only_folders_with_a_spec_are_runs(tmp_path: Path) -> None:
    runs = RunsFolder(tmp_path / "runs")
    assert runs.all() == []
    runs.run("b").plan(run_spec())
    runs.run("a").plan(run_spec())
    (runs.cache / "prepared").mkdir(parents=True)
    assert [run.id for run in runs.all()] == ["a", "b"]


def test_a_missing_or_torn_heartbeat_is_no_progress(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert folder.progress() == {}
    (tmp_path / "progress.json").write_text("{")
    assert folder.progress() == {}


def test_only_old_leftovers_are_tidied_away(tmp_path: Path) -> None:
    """What is young may be what another process writes at this moment."""
    folder = RunFolder(tmp_path)
    young, old = (tmp_path / f".submitted.json.{name}.tmp" for name in ("young", "old"))
    for left in (young, old):
        left.touch()
    os.utime(old, (time.time() - 3600,) * 2)
    folder.tidy()
    assert young.exists()
    assert not old.exists()


def test_runs_are_noted_for_leaderboards_and_their_variants(tmp_path: Path) -> None:
    runs = RunsFolder(tmp_path)
    runs.note("quick", ["a", "b"])
    runs.note("quick", ["b", "c"])
    runs.note("quick@1234", ["d"])
    runs.note("quicker", ["e"])
    assert runs.noted("quick") == {"a", "b", "c", "d"}
    assert runs.noted("quick@1234") == {"d"}
    assert runs.noted("none") == frozenset()
