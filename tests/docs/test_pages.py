"""What the pages tell a newcomer to type works, from an empty folder, in the order of the page."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

CHEAPER = (
    (r"^epochs = \d+$", "epochs = 1\nlimit = 1"),
    (r"train=12,test=8", "train=3,test=2"),
    (r"^folds = 3$", "folds = 3\nrun_folds = [0]"),
)
"""Changes of harness.toml that keep the steps and spare the time."""


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """(language, title, text) of the fenced blocks of a page."""
    for info, text in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        language, _, title = info.partition(" ")
        yield language, title, text


def cheap(text: str) -> str:
    changed = text
    for pattern, new in CHEAPER:
        changed = re.sub(pattern, new, changed, flags=re.MULTILINE)
    assert changed.count("limit = 1") == 1
    return changed


def follow(page: str, folder: Path) -> dict[str, str]:
    """Write the page's files and type its commands; what each printed."""
    printed = {}
    for language, title, text in blocks(page):
        if title:
            (folder / title).write_text(cheap(text) if title == "harness.toml" else text)
        for line in text.splitlines() if language == "sh" else ():
            name, *words = shlex.split(line)
            assert name in ("harness", "python"), f"{page}: {line}"
            command = [sys.executable, *(["-m", "harness"] if name == "harness" else []), *words]
            done = subprocess.run(
                command,
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=300,
                env={**os.environ, "COLUMNS": "140"},
                check=False,
            )
            assert done.returncode == 0, f"{page}: {line}\n{done.stdout}\n{done.stderr}"
            printed[line] = done.stdout
    return printed


def test_the_tutorial_leads_from_an_empty_folder_to_a_rank(tmp_path: Path) -> None:
    printed = follow("tutorial.md", tmp_path)
    added = printed["harness run mine -p my_model.py -m dilated"]
    assert re.search(r"^dilated \+ log-dice-ce ranks \d of 3 .*(behind|ahead of) unet2d", added, re.M)
    variant = printed["harness run mine -p my_model.py -m 'dilated[width=8]'"]
    assert re.search(r"^dilated\[width=8\] \+ log-dice-ce ranks \d of 4", variant, re.M)
    table = printed["harness leaderboard mine"]
    for entry in ("unet2d[base=8]", "unet2d[base=8,slices=3]", "dilated", "dilated[width=8]"):
        assert f" {entry} " in table


def test_the_how_to_ranks_its_loss_on_its_dataset(tmp_path: Path) -> None:
    printed = follow("howto.md", tmp_path)
    assert "unet2d[base=8] + focal ranks" in "".join(printed.values())


def test_the_tutorial_shows_the_example_as_it_is() -> None:
    (shown,) = (text for _, title, text in blocks("tutorial.md") if title == "my_model.py")
    assert shown == (ROOT / "examples" / "my_model.py").read_text()


@pytest.mark.parametrize("page", sorted(path.name for path in DOCS.glob("*.md")))
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = BLOCK.sub("", (DOCS / page).read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (DOCS / name).resolve() if name else DOCS / page
        assert target.exists(), f"{page}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {slug(heading) for heading in headings}, f"{page}: {link}"


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
