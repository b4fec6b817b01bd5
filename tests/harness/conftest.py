"""Boards of made-up records, and the published table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import made_records
import pytest

HASH = "1a2b3c4d" * 8


@pytest.fixture
def board_of() -> Any:
    """Builds a board of records, planned as they are unless told otherwise."""
    from harness.board.build import build

    def make(records: Any, planned: Any = None, protocol: Any = None, **other: Any) -> Any:
        planned = [made_records.plan(record) for record in records] if planned is None else planned
        return build("quick", protocol or made_records.PROTOCOL, HASH, records, planned, **other)

    return make


@pytest.fixture(scope="session")
def poster() -> Any:
    """The published table that this repository ships."""
    from harness.board.published import read_published

    (one,) = read_published(Path(__file__).parents[2] / "leaderboards" / "published")
    return one
