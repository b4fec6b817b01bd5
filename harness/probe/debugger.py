"""``--pdb``: the debugger, opened where an error left the plugin's code rather than where it ended."""

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
        """The stack, and the index of the frame that the prompt opens at."""
        stack, index = super().get_stack(f, t)
        frames = [frame for frame, _ in stack]
        return stack, frames.index(self.start) if self.start in frames else index


def post_mortem(error: BaseException, package: str = "") -> None:
    """Open the debugger at the innermost frame of `package`, else of foreign code, else of ours.

    ``continue`` leaves it and goes on; ``quit`` is a KeyboardInterrupt.
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
    """Open the debugger on the failure of a run, at the plugin that `spec` names and that is at fault."""
    from harness.execute.failure import package_at_fault

    post_mortem(error, package_at_fault(error, spec))


@contextlib.contextmanager
def debugging() -> Iterator[None]:
    """Open the debugger on what is raised inside, then let it go on its way."""
    try:
        yield
    except Exception as error:
        post_mortem(error)
        raise


Step = tuple[TracebackType, FrameType]


def _at_fault(steps: Sequence[Step], package: str) -> Step:
    tops = [str(frame.f_globals.get("__name__", "")).partition(".")[0] for _, frame in steps]
    if not package:
        # Whom the harness called last, whoever else that called.
        entered = [called for caller, called in pairwise(tops) if caller == "harness" and called not in OURS]
        package = entered[-1] if entered else ""
    inside = [step for step, top in zip(steps, tops, strict=True) if top == package]
    return inside[-1] if inside else steps[-1]


def _steps(error: BaseException) -> Iterator[Step]:
    """Every frame with the traceback that it is in, those of the error's cause last.

    What a plugin raised may have become an error of the harness: the cause has the plugin's frames.
    """
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__
    for one in chain:
        step = one.__traceback__
        while step is not None:
            assert one.__traceback__ is not None
            yield one.__traceback__, step.tb_frame
            step = step.tb_next
