"""A mistake in a plugin is told with the plugin's file and line, and `--pdb` opens the debugger there."""

from pathlib import Path
from subprocess import PIPE

import pytest
from tiny_project import Command, Project

MINE = """
from harness import Case, Dataset, Loss, Model, hookimpl
import numpy as np

@hookimpl
def harness_models():
    yield Model("my-net", "mine:net", 2, summary="fails in forward")

@hookimpl
def harness_losses():
    yield Loss("my-loss", "mine:loss", summary="fails")

@hookimpl
def harness_datasets():
    yield Dataset("my-cases", "mine:Cases", summary="fails at once", structures={"LV": 1})
    yield Dataset("my-files", "mine:Files", summary="fails in read", structures={"LV": 1})

def net(task):
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(task.channels, task.classes, 1)

        def forward(self, x):
            told = "shape in forward " + str(x.ndim)
            return self.conv(x[:, :0])  # forward

    return Net()

def loss(task):
    from torch import nn

    class MyLoss(nn.Module):
        def forward(self, logits, labels):
            told = "labels in loss " + str(labels.ndim)
            return helper(logits)

    return MyLoss()

def helper(logits):
    told = "logits in helper " + str(logits.ndim)
    return logits["mean"]  # loss

class Cases:
    def __init__(self, root):
        pass

    def cases(self):
        told = "here in cases"
        return [{}["patient"]]  # cases

class Files:
    def __init__(self, root):
        pass

    def cases(self):
        return [Case("a", "a", None, read)]

def read():
    told = "here in read"
    return np.reshape(np.zeros(3), (2, 2))  # read
"""

MISTAKES = {
    "forward": (("-m", "my-net"), "shape in forward 4", 1),
    "loss": (("-m", "tiny-net", "-l", "my-loss"), "logits in helper 4", 1),
    "cases": (("-m", "tiny-net", "-d", "my-cases"), "here in cases", 2),
    "read": (("-m", "tiny-net", "-d", "my-files"), "here in read", 2),
}


@pytest.fixture
def mine(project: Project) -> Project:
    (project.root / "mine.py").write_text(MINE)
    return project


def line_of(words: str) -> int:
    return next(number for number, line in enumerate(MINE.splitlines(), 1) if line.endswith(words))


def debug(project: Project, keys: str, *args: str) -> Command:
    """Run with ``--pdb`` and type `keys`."""
    process = project.start("run", "tiny", "-p", "mine.py", "--pdb", *args, stdin=PIPE)
    out, err = process.communicate(keys, timeout=240)
    return Command(process.returncode, out, err)


@pytest.mark.parametrize("where", MISTAKES)
def test_the_line_of_the_plugin_is_told(mine: Project, where: str) -> None:
    args, _, code = MISTAKES[where]
    result = mine("run", "tiny", "-p", "mine.py", *args)
    assert result.code == code
    assert f"(mine.py:{line_of(f'# {where}')})" in result.err
    assert "Traceback" not in result.err


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        ("import numpy as np", "import nunpy as np"),
        ('yield Model("my-net"', 'yield Modell("my-net"'),
        ("def net(task):", "def net(task:"),
    ],
)
def test_the_line_is_told_at_registration_too(mine: Project, broken: str, told: str) -> None:
    line = next(number for number, line in enumerate(MINE.splitlines(), 1) if broken in line)
    (mine.root / "mine.py").write_text(MINE.replace(broken, told))
    result = mine("plugins", "-p", "mine.py")
    assert result.code == 0
    assert f"mine.py:{line}" in "".join(result.out.split())


@pytest.mark.parametrize("where", MISTAKES)
def test_the_debugger_opens_at_the_line_of_the_plugin(mine: Project, where: str) -> None:
    args, told, _ = MISTAKES[where]
    result = debug(mine, "p told\nq\n", *args)
    assert f"mine.py({line_of(f'# {where}')})" in result.out
    assert repr(told) in result.out
    assert result.code == 3


def test_continue_goes_on_with_the_next_run_and_the_failure_is_recorded(mine: Project) -> None:
    result = debug(mine, "c\n", "-m", "my-net", "-m", "tiny-net")
    assert result.code == 1, result.err
    assert "FAILED my-net + log-dice" in result.err
    assert "done tiny-net + log-dice" in result.err
    logs = {Path(run).name.partition("__")[0]: (run / "log.txt").read_text() for run in mine.run_folders()}
    assert "mine.py" in logs["my-net"]
    assert "mine.py" not in logs["tiny-net"]


def test_a_run_in_this_process_gives_the_scores_of_one_in_its_own(
    mine: Project, done_project: Project
) -> None:
    result = debug(mine, "", "-m", "tiny-net")
    assert result.code == 0, result.err
    (run,) = mine.run_folders()
    (same,) = (other for other in done_project.run_folders() if other.name == run.name)
    assert (run / "cases.jsonl").read_text() == (same / "cases.jsonl").read_text()


def test_a_time_limit_does_not_go_with_a_debugger(mine: Project) -> None:
    result = debug(mine, "", "--timeout", "5")
    assert result.code == 2
    assert "--pdb" in result.err
