"""A headless Chromium for tests of pages: the one installed on the system, never a downloaded one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_chromium() -> str | None:
    """The path of a Chromium: ``$CHROMIUM``, or the first one on the path."""
    named = os.environ.get("CHROMIUM")
    return named or next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Any]:
    """A Playwright browser; skips the test, with the reason, if no Chromium is installed."""
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
    """Open `file` from disk, offline; fail on an error or warning in the console, a dialog or a request."""
    context = browser.new_context(offline=True, **options)
    page = context.new_page()
    complaints: list[str] = []

    def hear_console(message: Any) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def close_dialog(dialog: Any) -> None:
        complaints.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def check_request(request: Any) -> None:
        if not request.url.startswith(("file:", "data:")):
            complaints.append(request.url)

    page.on("console", hear_console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", close_dialog)
    page.on("request", check_request)
    try:
        page.goto(file.as_uri())
        yield page
        assert complaints == []
    finally:
        context.close()
