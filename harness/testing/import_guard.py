"""``python -m harness.testing.import_guard ORIGIN``: register a module's plugins, report torch imports.

The last line of its output is ``LIGHT``, or ``TORCH FILE:LINE`` with the line that imports torch. It runs in
a new process, in which nothing is imported yet.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from harness.plugins import files, hooks

_OURS = {__file__, files.__file__, hooks.__file__, importlib.__file__, contextlib.__file__}


class TorchImportGuard:
    """An import finder that finds nothing; the first import of torch ends the process."""

    def find_spec(self, name: str, path: object = None, target: ModuleType | None = None) -> None:
        """Find no module, but end the process for torch."""
        if name.partition(".")[0] != "torch":
            return
        lines = [line for line in traceback.extract_stack()[:-1] if not line.filename.startswith("<")]
        # The first foreign line is the plugin's, even if it imports torch through other packages.
        foreign = [line for line in lines if line.filename not in _OURS and not _runs_modules(line.filename)]
        print(f"TORCH {foreign[0].filename}:{foreign[0].lineno}" if foreign else "TORCH", flush=True)
        os._exit(0)


def _runs_modules(file: str) -> bool:
    return Path(file).name == "runpy.py"


def main(origin: str) -> None:
    """Import the module or file `origin`, and call its hooks that return records."""
    sys.meta_path.insert(0, TorchImportGuard())
    is_file = origin.endswith(".py")
    module = files.load_file(Path(origin)) if is_file else importlib.import_module(origin)
    implemented, _ = hooks.find_hooks(module)
    for name in hooks.RETURNS.keys() & implemented.keys():
        hooks.call(name, implemented[name])
    print("LIGHT", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
