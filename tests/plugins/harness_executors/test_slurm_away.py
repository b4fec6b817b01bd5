"""What becomes of jobs while Slurm's controller does not answer; its commands are stood in for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ResourceError
from harness.execute.executor import Job, ResourceRequest

pytest.importorskip("submitit")

from harness_executors.slurm import Slurm


class Controller:
    """Answers commands: what squeue lists, None where it fails; every command is kept."""

    def __init__(self) -> None:
        self.listed: str | None = ""
        self.asked: list[list[str]] = []

    def __call__(self, command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        self.asked.append(command)
        if command[0] == "squeue" and self.listed is None:
            return subprocess.CompletedProcess(command, 1, "", "unable to contact slurm controller")
        return subprocess.CompletedProcess(command, 0, self.listed if command[0] == "squeue" else "", "")

    def count(self, name: str) -> int:
        return sum(command[0] == name for command in self.asked)


@pytest.fixture
def controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    made = Controller()
    monkeypatch.setattr(subprocess, "run", made)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return made


def test_a_job_is_not_lost_because_nobody_answers(controller: Controller) -> None:
    slurm = Slurm(poll_s=0)
    controller.listed = None
    assert slurm.poll("7_1").state == "queued"
    controller.listed = "7_1|RUNNING|None\n"
    assert slurm.poll("7_1").state == "running"
    controller.listed = None
    assert slurm.poll("7_1").state == "running"
    controller.listed = ""
    assert slurm.poll("7_1").state == "lost"


def test_jobs_of_an_earlier_command_are_asked_for_together(controller: Controller) -> None:
    controller.listed = "".join(f"7_{number}|PENDING|Priority\n" for number in range(20))
    slurm = Slurm(poll_s=10)
    assert {slurm.poll(f"7_{number}").state for number in range(20)} == {"queued"}
    assert controller.count("squeue") == 1


def test_of_two_arrays_the_first_is_taken_back_if_the_second_is_refused(
    controller: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def array(self: Slurm, jobs: list[Job], need: ResourceRequest) -> list[str]:
        if need.cpus == 64:
            raise ResourceError("sbatch failed: too much")
        return [f"7_{number}" for number in range(len(jobs))]

    monkeypatch.setattr(Slurm, "_array", array)
    jobs = [Job(tmp_path / "a"), Job(tmp_path / "b"), Job(tmp_path / "c", ResourceRequest(cpus=64))]
    slurm = Slurm(jobs=3)
    with pytest.raises(ResourceError):
        slurm.submit(jobs)
    assert ["scancel", "7_0", "7_1"] in controller.asked
    assert slurm.room(ResourceRequest()) == 3
