"""A time limit that a run enforces itself, as no scheduler may be watching it on a cluster."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

from harness.errors import ResourceError


class TimedOut(ResourceError):
    """The run exceeded its time limit."""


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise TimedOut in the main thread after `seconds`; None means no limit.

    Code that does not return to Python is not interrupted; the scheduler stops such workers.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def over(number: int, frame: object) -> None:
        raise TimedOut(f"stopped after {seconds:g} s (--timeout)")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
