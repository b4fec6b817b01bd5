"""What a record says of the code that made it."""

from __future__ import annotations

from pathlib import Path

from repository import git

from harness.measure.provenance import commit_of


def test_a_commit_is_dirty_by_changed_code_and_not_by_the_tables_that_runs_write(tmp_path: Path) -> None:
    assert commit_of(tmp_path) is None
    table, code = tmp_path / "leaderboards" / "quick" / "leaderboard.md", tmp_path / "code.py"
    table.parent.mkdir(parents=True)
    table.write_text("before")
    code.write_text("before")
    git(tmp_path, "init", "-q")
    assert commit_of(tmp_path) is None
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit = git(tmp_path, "rev-parse", "--short=12", "HEAD")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "untracked").write_text("")
    table.write_text("after")
    assert commit_of(tmp_path) == commit
    code.write_text("after")
    assert commit_of(tmp_path) == f"{commit}-dirty"
