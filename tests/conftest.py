"""Shared by all tests: a project of tiny hearts, and one thread a process."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings
from tiny_project import Project, make_project

# A busy machine is no failure: how long something takes is for the benchmarks.
settings.register_profile("harness", deadline=None)
settings.load_profile("harness")
# Parallel test processes must not fight for cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
for variable in [name for name in os.environ if name.startswith(("HARNESS_", "GIT_"))]:
    # A developer's own HARNESS_ACDC_ROOT must not decide what a test sees, nor GIT_DIR where one commits.
    del os.environ[variable]
os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh project of tiny hearts."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def done_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose leaderboard has been run; only to be looked at."""
    made = make_project(tmp_path_factory.mktemp("done") / "project")
    result = made("run", "tiny")
    assert result.code == 0, result.err
    return made


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Project], Project]:
    """Copy a project, so that a test may change it."""

    def copy(project: Project) -> Project:
        return Project(Path(shutil.copytree(project.root, tmp_path / "copy")))

    return copy
