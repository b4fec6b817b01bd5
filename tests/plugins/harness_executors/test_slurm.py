"""What only Slurm does: time limits and requeueing, a cap on its queue, jobs that fail before they begin."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_site import slurm_site
from tiny_project import Project
from watched import record, trains, wait_for


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with slurm_site(tmp_path_factory.mktemp("slurm") / "site") as conf:
        yield conf


def said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_before_its_time_limit_a_run_stops_and_is_queued_again(site: Path, project: Project) -> None:
    """A minute is Slurm's shortest limit; the warning comes some seconds after the start."""
    slow = "slow[pause_s=1.2]"
    done = project("run", "tiny", "-m", slow, "-x", "slurm[poll_s=0.5,time=1,warning_s=50]")
    assert done.code == 0, done.err
    ended = record(project)
    assert ended["attempts"] > 1
    assert [one["epoch"] for one in ended["history"]] == [1, 2, 3, 4]
    assert "Restarts=" in said(
        "scontrol", "show", "job", said("squeue", "-h", "-t", "all", "-o", "%A").split()[0]
    )


def test_no_more_jobs_are_queued_than_allowed(site: Path, project: Project) -> None:
    args = ("run", "tiny", "-m", "slow", "-m", "tiny-net", "-x", "slurm[poll_s=0.5,jobs=1]")
    process = project.start(*args)
    most = 0
    while process.poll() is None:
        queued = said("squeue", "-h", "-r", "-t", "PENDING,RUNNING", "-o", "%i").split()
        most = max(most, len(queued))
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert most == 1


def test_a_job_that_fails_before_its_worker_is_told_with_the_end_of_its_log(
    site: Path, project: Project
) -> None:
    with (project.root / "harness.toml").open("a") as file:
        file.write(
            '\n[executor.slurm]\npoll_s = 0.5\nsetup = ["echo no module named cuda/13 >&2", "exit 7"]\n'
        )
    done = project("run", "tiny", "-m", "tiny-net", "-x", "slurm")
    assert done.code == 1
    assert "no module named cuda/13" in record(project)["failure"]["message"]


def test_what_sbatch_refuses_is_told_in_its_words(site: Path, project: Project) -> None:
    done = project("run", "tiny", "-m", "tiny-net", "-x", "slurm[partition=nowhere]")
    assert done.code == 2
    assert "invalid partition specified: nowhere" in done.err.lower()


def test_submit_and_leave_then_look_and_rank(site: Path, project: Project) -> None:
    args = ("run", "tiny", "-x", "slurm[poll_s=0.5]")
    left = project(*args, "--detach")
    assert left.code == 0, left.err
    assert "2 runs continue without this command; see: harness status" in left.err
    states = {one["state"] for one in json.loads(project("status", "--json").out)}
    assert states <= {"queued", "running", "done"}
    wait_for(
        lambda: {"done"} == {one["state"] for one in json.loads(project("status", "--json").out)}, "the jobs"
    )
    shown = project("leaderboard", "tiny")
    assert shown.code == 0
    assert "tiny-net-3d" in shown.out


def test_what_waits_in_the_queue_can_be_cancelled(site: Path, project: Project) -> None:
    said("scontrol", "update", "partitionname=main", "state=DOWN")
    try:
        assert project("run", "tiny", "--detach", "-x", "slurm").code == 0
        assert {one["state"] for one in json.loads(project("status", "--json").out)} == {"queued"}
        assert project("cancel", "tiny").out == "stopped 2 of 2 runs; harness run continues them\n"
        assert {one["state"] for one in json.loads(project("status", "--json").out)} == {"cancelled"}
        assert said("squeue", "-h", "-t", "PENDING").strip() == ""
    finally:
        said("scontrol", "update", "partitionname=main", "state=UP")


def test_a_second_command_watches_the_jobs_of_the_first(site: Path, project: Project) -> None:
    args = ("run", "tiny", "-m", "slow[pause_s=0.3]", "-x", "slurm[poll_s=0.5]")
    assert project(*args, "--detach").code == 0
    wait_for(trains(project), "a checkpoint")
    done = project(*args)
    assert done.code == 0, done.err
    assert record(project)["attempts"] == 1
