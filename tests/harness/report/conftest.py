"""Gives the tests of this folder the records of rank/made_up.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def made_up() -> Any:
    path = Path(__file__).parents[1] / "rank" / "made_up.py"
    spec = importlib.util.spec_from_file_location("made_up", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HASH = "1a2b3c4d" * 8


@pytest.fixture
def board_of(made_up: Any) -> Any:
    """Builds a board of records, planned as they are unless told otherwise."""
    from harness.rank.build import build

    def make(records: Any, planned: Any = None, protocol: Any = None, **other: Any) -> Any:
        planned = [made_up.plan(record) for record in records] if planned is None else planned
        return build("quick", protocol or made_up.PROTOCOL, HASH, None, records, planned, **other)

    return make


@pytest.fixture(scope="session")
def poster() -> Any:
    """The published table that this repository ships."""
    from harness.report.published import read_published

    (one,) = read_published(Path(__file__).parents[3] / "leaderboards" / "published")
    return one
