"""The paths of a run on this machine, in ``local.json``; they are in no key and in no record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.contract.layout import Misfit, as_json, read
from harness.errors import HarnessError


@dataclass(frozen=True)
class LocalPaths:
    """Paths that a worker needs: the dataset's `root`, the `cache`, the `manifest`, plugins in files.

    `observers` has the destination of each observer's reports, by its name.
    """

    root: str
    cache: str
    manifest: str
    plugin_files: tuple[str, ...] = ()
    observers: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The content of ``local.json``."""
        return as_json(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], run_id: object) -> LocalPaths:
        """From the content of a ``local.json``; HarnessError that names the run and the field."""
        try:
            return read(cls, dict(value))
        except Misfit as error:
            raise HarnessError(f"run {run_id!r}: local.{error}", remedy="Plan the run again.") from None
