"""Ctrl-C, kill -9 and two commands at once: nothing is lost, nothing is done twice."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import torch
from tiny_project import Project

SLOW = ("-m", "slow[pause_s=0.6]")


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


def epochs_saved(project: Project) -> int:
    for run in project.run_folders():
        path = run / "checkpoint.pt"
        if path.exists():
            try:
                return len(torch.load(path, weights_only=True)["history"])
            except (OSError, RuntimeError, EOFError):
                return 0
    return 0


def worker(project: Project) -> int:
    (run,) = project.run_folders()
    return int(json.loads((run / "progress.json").read_text())["pid"])


def gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().split()[2] == "Z"
    except OSError:
        return True


def test_ctrl_c_exits_with_3_and_the_next_run_goes_on(project: Project) -> None:
    process = project.start("run", "tiny", *SLOW)
    wait_for(lambda: epochs_saved(project) >= 1, "a checkpoint")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "interrupted" in err
    saved = epochs_saved(project)
    project.hurry()
    assert "continue" in project("plan", "tiny", *SLOW).out
    result = project("run", "tiny", *SLOW)
    assert result.code == 0
    assert "continue" in result.err
    (run,) = project.run_folders()
    record = json.loads((run / "record.json").read_text())
    assert record["attempts"] == 2
    assert [h["epoch"] for h in record["history"]] == [1, 2, 3, 4]
    assert saved >= 1


def test_kill_9_of_driver_and_worker_changes_no_bit_of_the_result(project: Project) -> None:
    """Killed twice on the way, the weights, history and scores are those of an undisturbed run."""
    other = Project(project.root.parent / "undisturbed")
    other.root.mkdir()
    for name in ("harness.toml", "harness_plugins.py"):
        (other.root / name).write_bytes((project.root / name).read_bytes())
    for kill_driver in (True, False):
        before = epochs_saved(project)
        process = project.start("run", "tiny", *SLOW)
        wait_for(lambda before=before: epochs_saved(project) > before, "a checkpoint")  # type: ignore[misc]
        pid = worker(project)
        if kill_driver:
            process.kill()
            process.communicate()
            wait_for(lambda pid=pid: gone(pid), "the orphaned worker to stop")  # type: ignore[misc]
        else:
            import os

            os.kill(pid, signal.SIGKILL)
            process.communicate(timeout=60)
            assert process.returncode == 1
    for one in (project, other):
        one.hurry()
        assert one("run", "tiny", *SLOW).code == 0
    (killed,), (whole,) = project.run_folders(), other.run_folders()
    assert killed.name == whole.name
    assert (killed / "cases.jsonl").read_bytes() == (whole / "cases.jsonl").read_bytes()
    a, b = (torch.load(run / "weights.pt", weights_only=True) for run in (killed, whole))
    assert a["history"] == b["history"]
    assert all(torch.equal(a["model"][name], b["model"][name]) for name in b["model"])


def test_two_runs_at_once_share_the_work(project: Project) -> None:
    args = ("run", "tiny", "-m", "slow", "-m", "tiny-net")
    both = [project.start(*args) for _ in range(2)]
    results = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    runs = project.run_folders()
    assert len(runs) == 2
    for run in runs:
        assert json.loads((run / "record.json").read_text())["attempts"] == 1
    tables = [out for out, _ in results]
    assert tables[0] == tables[1]
