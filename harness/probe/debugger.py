"""``--pdb``: the debugger, opened at the plugin's code that an error came from."""

from __future__ import annotations

import contextlib
import pdb
import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from types import FrameType, TracebackType
from typing import Any

from harness.contract.spec import RunSpec
from harness.plugins.blame import OURS


class _At(pdb.Pdb):
    """pdb that opens at a chosen frame of the traceback."""

    start: FrameType | None = None

    def get_stack(self, f: FrameType | None, t: TracebackType | None) -> tuple[list[Any], int]:
        """The stack, and the index of the frame at which the prompt opens."""
        stack, index = super().get_stack(f, t)
        frames = [frame for frame, _ in stack]
        return stack, frames.index(self.start) if self.start in frames else index


def post_mortem(error: BaseException, package: str = "") -> None:
    """Open the debugger at the innermost frame of `package`, else of a plugin, else of the harness.

    ``continue`` leaves the debugger and continues; ``quit`` raises KeyboardInterrupt.
    """
    steps = list(_steps(error))
    if not steps:
        return
    trace, frame = _at_fault(steps, package)
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    debugger = _At()
    debugger.start = frame
    debugger.reset()
    debugger.interaction(None, trace)
    if debugger.quitting:
        raise KeyboardInterrupt


def debug_failure(error: Exception, spec: RunSpec) -> None:
    """Open the debugger on the failure of a run, at the code of the plugin in `spec` that caused it."""
    from harness.execute.failure import package_at_fault

    post_mortem(error, package_at_fault(error, spec))


@contextlib.contextmanager
def debugging() -> Iterator[None]:
    """Open the debugger on an exception raised inside, then raise it again."""
    try:
        yield
    except Exception as error:
        post_mortem(error)
        raise


Step = tuple[TracebackType, FrameType]


def _at_fault(steps: Sequence[Step], package: str) -> Step:
    tops = [str(frame.f_globals.get("__name__", "")).partition(".")[0] for _, frame in steps]
    if not package:
        # The package that the harness called last; that may have called other packages.
        entered = [called for caller, called in pairwise(tops) if caller == "harness" and called not in OURS]
        package = entered[-1] if entered else ""
    inside = [step for step, top in zip(steps, tops, strict=True) if top == package]
    return inside[-1] if inside else steps[-1]


def _steps(error: BaseException) -> Iterator[Step]:
    """Every frame with its traceback, those of the error's cause last.

    The harness may have wrapped a plugin's error in one of its own; then the cause has the plugin's frames.
    """
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__
    for link in chain:
        step = link.__traceback__
        while step is not None:
            assert link.__traceback__ is not None
            yield link.__traceback__, step.tb_frame
            step = step.tb_next
