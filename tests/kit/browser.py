"""A headless Chromium for tests of pages: the system's own, never a downloaded one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_chromium() -> str | None:
    """The path of a Chromium: ``$CHROMIUM``, or the first that is on the path."""
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of Playwright's; pytest skips with the reason where there is none."""
    import pytest

    path = find_chromium()
    if path is None:
        pytest.skip("no chromium on this machine (apt-get install chromium, or set CHROMIUM)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        # A container's root has no sandbox, and its /dev/shm is small.
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Any, file: Path, **options: Any) -> Iterator[Any]:
    """`file` opened from disk, without any network; fails on an error or warning in the console."""
    context = browser.new_context(offline=True, **options)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: one.type in ("error", "warning") and said.append(one.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda one: one.url.startswith(("file:", "data:")) or said.append(one.url))
    try:
        page.goto(file.as_uri())
        yield page
        assert said == []
    finally:
        context.close()
