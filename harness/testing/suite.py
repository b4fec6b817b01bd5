"""Run the checks of a plugin, each once, and skip those that depend on a failed one."""

from __future__ import annotations

import contextlib
import shutil
import sys
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp

from harness.errors import HarnessError
from harness.plugins.blame import GUARDED, defined, describe, innermost
from harness.testing.check import Check, CheckFailed, CheckSkipped, Outcome
from harness.testing.registry import checks_for
from harness.testing.subject import Subject


@dataclass
class Suite:
    """The checks of one plugin; outcomes are cached, because other checks depend on them."""

    subject: Subject
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    lent: Subject | None = None

    def outcome(self, check: Check) -> Outcome:
        """Run `check` after those that it needs, unless it has run before."""
        if check.id not in self.outcomes:
            self.outcomes[check.id] = self._run(check)
        return self.outcomes[check.id]

    def _run(self, check: Check) -> Outcome:
        record = self.subject.record
        done = Outcome(record.name, self.subject.kind, check.id, "info" if check.informs else "ok")
        others = {other.id: other for other in checks_for(self.subject.kind)}
        for need in check.needs:
            needed = self.outcome(others[need])
            if needed.state == "failed":
                return replace(done, state="skipped", found=f"needs '{need}'")
            if needed.state == "skipped" and needed.found.startswith("needs "):
                return replace(done, state="skipped", found=needed.found)
        try:
            # What a plugin prints must not get into a command's output.
            with contextlib.redirect_stdout(sys.stderr):
                return replace(done, found=check.function(self._with_folder()) or "")
        except CheckSkipped as skipped:
            return replace(done, state="skipped", found=skipped.reason)
        except CheckFailed as failed:
            found = _located(failed.what, failed.__cause__, record.target)
            return replace(done, state="failed", found=found, remedy=failed.remedy, error=failed)
        except GUARDED as error:
            remedy = (error.remedy if isinstance(error, HarnessError) else None) or "Correct that line."
            found = _located(describe(error), error, record.target)
            return replace(done, state="failed", found=found, remedy=remedy, error=error)

    def _with_folder(self) -> Subject:
        """The subject; a dataset without a folder gets an empty one, as in a run."""
        make = self.subject.root
        if self.subject.kind != "dataset" or isinstance(make, Path):
            return self.subject
        if self.lent is None:
            folder = mkdtemp(prefix="harness-check-")
            # Checks may run one by one, so the folder exists as long as the suite.
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            if make is not None:
                make(Path(folder))
            self.lent = replace(self.subject, root=Path(folder), lent=make is None)
        return self.lent


def run_checks(subject: Subject, checks: Iterable[Check] | None = None) -> list[Outcome]:
    """The outcomes of all checks of `subject`, in order; does not raise what the plugin raises."""
    return list(iterate_checks(subject, checks))


def iterate_checks(subject: Subject, checks: Iterable[Check] | None = None) -> Iterator[Outcome]:
    """Like `run_checks`, one outcome at a time."""
    suite = Suite(subject)
    for check in checks_for(subject.kind) if checks is None else checks:
        yield suite.outcome(check)


def _located(what: str, error: BaseException | None, target: str) -> str:
    """`what`, followed by the plugin's innermost line in the error, or by the line that defines it."""
    if error is None:
        return what
    place = innermost(error, target) or defined(target)
    return what if place is None or f"{place})" in what else f"{what} ({place})"
